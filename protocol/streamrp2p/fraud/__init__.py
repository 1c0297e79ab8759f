"""Finds what is wrong with a header, as transactions that anyone may send. Source: docs/protocol.md section 8.

Pure: the caller brings the header, what its poster published, the parent and the chain's facts.
"""

from streamrp2p.fraud.evidence import (
    LEAF_LEVELS,
    NOTHING_PUBLISHED,
    Acknowledged,
    Answer,
    Chunk,
    Demand,
    Evidence,
    Fraud,
    Published,
    RecordLeaf,
    Tree,
    acknowledged_of,
    nodes_level_of,
)
from streamrp2p.fraud.find import find_frauds, find_omissions

__all__ = [
    "LEAF_LEVELS",
    "NOTHING_PUBLISHED",
    "Acknowledged",
    "Answer",
    "Chunk",
    "Demand",
    "Evidence",
    "Fraud",
    "Published",
    "RecordLeaf",
    "Tree",
    "acknowledged_of",
    "find_frauds",
    "find_omissions",
    "nodes_level_of",
]
