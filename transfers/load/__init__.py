"""Writes versions of tables to PostgreSQL and publishes them."""
