"""Addresses of clients whose requests are counted (behind a trusted proxy)."""

import itertools

from flights.access import rate_limiter

SECONDS = 20  # longer than a test sends requests

_numbers = itertools.count(1)


def unused() -> str:
    """An address that no test has used, and whose minute does not end during the test."""
    candidates = (f"198.51.100.{number}" for number in _numbers)
    return next(a for a in candidates if rate_limiter._window(a)[1] > SECONDS)
