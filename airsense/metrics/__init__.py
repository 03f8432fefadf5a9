"""Metrics for Prometheus: of web processes, of workers, and of what PostgreSQL and Valkey know.

docs/monitoring.md lists them.
"""
