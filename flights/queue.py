"""Errors that mean: the queue of tasks cannot accept a task now."""

from kombu.exceptions import OperationalError
from redis import RedisError

# The queue cannot be reached, or Valkey refuses writes, for instance with a full disk (MISCONF).
FAILURES = (OperationalError, RedisError)
