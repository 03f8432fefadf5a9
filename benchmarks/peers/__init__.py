"""Other tools that carry a table from the warehouse, as their documentation shows them."""
