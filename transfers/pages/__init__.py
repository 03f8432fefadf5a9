"""Pages about transfers for everybody."""
