"""The sources of the generated files: see `scripts/generate.py`."""
