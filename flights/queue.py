"""The queue of tasks in Valkey."""

from celery import current_app
from kombu.exceptions import OperationalError
from redis import RedisError

from flights.access import rate_limiter

# It cannot be reached, or Valkey refuses writes, for instance with a full disk (MISCONF).
FAILURES = (OperationalError, RedisError)


def waiting() -> int:
    """Count the tasks that no worker has taken. Raises one of FAILURES."""
    name = rate_limiter.prefixed(current_app.conf.task_default_queue)
    return int(rate_limiter.valkey().llen(name))
