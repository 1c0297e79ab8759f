"""The tests. A package, so that no installed package that is also named `tests` comes first."""
