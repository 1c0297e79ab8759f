"""Probes: hidden viewers of the coordinator's own, who see what a node gives to people."""
