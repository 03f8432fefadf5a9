"""Full-text search over every column of every table."""
