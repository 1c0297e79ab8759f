"""What builds and deploys the project."""
