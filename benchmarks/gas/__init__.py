"""The gas of whole transactions: measured on a fresh chain, kept in docs/gas.json and docs/gas.md."""
