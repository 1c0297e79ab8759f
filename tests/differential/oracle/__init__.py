"""The protocol once more, written from docs/protocol.md alone, as plainly as possible and with other libraries.

Nothing here imports `streamrp2p`. Messages and rows are dictionaries by the names of the document, trees are
recursive, shares are fractions: slow, and too simple to be wrong in the same way as the core.
"""
