"""Ingest raw records, build tables in the warehouse, and transfer them to published versions."""
