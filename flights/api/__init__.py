"""The REST API: rows of each table, `dynamic_query`, the catalogue and exports."""
