"""The auditor: fetches, recomputes and challenges epochs."""
