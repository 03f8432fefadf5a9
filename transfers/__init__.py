"""From raw records to published versions: ingest, broker, warehouse and transfers."""
