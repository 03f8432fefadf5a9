"""Run quality checks in the warehouse. `flights.quality` declares them, `transfers.run` calls."""
