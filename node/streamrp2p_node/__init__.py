"""The relay daemon of a node operator."""
