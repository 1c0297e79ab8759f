"""The services of compose.yaml on this machine, from packages and without a container engine."""
