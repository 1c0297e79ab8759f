"""The coordinator: takes receipts in, settles epochs and posts their headers."""
