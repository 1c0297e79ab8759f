"""The demo: every actor on one machine, with a local chain."""
