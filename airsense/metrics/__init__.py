"""Metrics for Prometheus: of web processes, of workers, and of the platform's database and queue.

docs/monitoring.md lists them.
"""
