"""Looking at nodes from outside, without being led anywhere that a stranger could not reach itself."""
