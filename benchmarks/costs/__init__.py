"""What a stream costs: its origin, its relays, the receipts, and its viewers' devices."""
