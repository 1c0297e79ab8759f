"""The database's schema, step by step. Steps only add: a running older version must still work."""
