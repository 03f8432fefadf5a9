"""Reads files of raw flight records, checks them, and writes them to the warehouse."""
