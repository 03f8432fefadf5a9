"""The queue of tasks, as those see it who put tasks into it."""

from kombu.exceptions import OperationalError
from redis import RedisError

# It cannot be reached; or Valkey refuses, for instance because its disk is full (MISCONF).
FAILURES = (OperationalError, RedisError)
