"""A Databricks job that builds the final tables: an asset bundle with the broker's SQL."""
