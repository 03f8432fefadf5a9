"""Alerts: what failed or became stale, and how people learn of it."""
