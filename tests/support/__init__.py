"""What the suites share: real services, and the rules that every test obeys."""
