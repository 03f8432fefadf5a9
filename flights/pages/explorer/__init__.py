"""The explorer: the query API with controls, a table, a chart and the API's address for them."""
