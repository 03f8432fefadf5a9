"""Alerts: record what failed or became stale, and send it to people."""
