"""Runs transfers: reads a table of the warehouse and loads a verified version of it."""
