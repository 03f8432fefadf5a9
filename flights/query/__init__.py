"""A query of a table: read from parameters, checked against columns, and run as SQL."""
