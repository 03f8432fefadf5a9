"""Benchmarks. Compare figures only within one run on one machine; nothing here is a test."""
