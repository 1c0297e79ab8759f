"""The HTTP edge: routes translate, use cases decide."""
