"""A coordinator under load: how many receipts it takes in, how fast, what it grows by, and what a crash loses.

Everything is real: anvil, the contracts, the database, the coordinator's process, its HTTP API, and both signatures of
every record. Generator, coordinator and database share the machine, which the figures are therefore of.
"""
