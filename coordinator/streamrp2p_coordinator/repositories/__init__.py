"""All SQL of the coordinator. Each repository works in the transaction that its `Store` was made for."""
