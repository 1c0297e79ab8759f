"""The golden vectors, one module for each group of files; `scripts/generators/vectors.py` collects them."""
