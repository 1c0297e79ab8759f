"""How fast a node hands out a stream's objects, beside nginx with the same files."""
