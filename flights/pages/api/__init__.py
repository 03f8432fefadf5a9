"""Pages about the API: what exists and how to try it, and GraphiQL."""
