"""The streamer's ticket signer: keeps a pool's ticket key, and signs what its budgets allow."""
