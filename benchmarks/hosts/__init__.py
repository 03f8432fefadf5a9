"""Faults of several machines under load, with network namespaces as hosts."""
