"""The dishonest actors, each a process of its own."""
