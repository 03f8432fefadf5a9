"""Count requests in fixed time windows that all processes share through Valkey.

A process leases several requests of a window at once and counts them down in memory, so that few
requests need a round trip to Valkey. While Valkey does not respond, each process counts alone.
"""

import hashlib
import logging
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
LEASES = 60  # per window; other processes cannot use the rest of a lease
TIMEOUT = 0.5  # seconds for a response of Valkey
PAUSE = 5.0  # seconds without a call to Valkey after a failure
MOST_CALLERS = 20_000  # leases that a process stores, of 200 bytes each
LAST_USES = "keys:used"  # Valkey hash: time of the last use of each API key, by the key's id
LAST_USES_EXPIRE = 86_400  # seconds; a scheduled task copies the hash to PostgreSQL every minute


@cache
def valkey() -> redis.Redis:
    """The client of Valkey; at first two threads may create two, each with its own connections."""
    pool = redis.ConnectionPool.from_url(
        settings.VALKEY_URL,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis(connection_pool=pool)


class Caller(NamedTuple):
    """A client whose requests are counted, such as an `address` or a `key`, and its limit."""

    kind: str
    name: str
    limit: int  # requests per window
    seconds: int = WINDOW


class Standing(NamedTuple):
    """The result of counting a request."""

    allowed: bool
    left: int  # requests left in the window, as far as this process knows
    resets: int  # seconds until the next window


@dataclass
class Lease:
    """The requests of a window that this process may count without a call to Valkey."""

    window: int
    left: int = 0
    taken: int = 0  # by all processes, as of Valkey's last response


class Server:
    """Valkey. After a failure it is not called for `PAUSE` seconds."""

    def __init__(self) -> None:
        self.failed = False  # the last call
        self.paused_until = 0.0  # of time.monotonic()

    def call[T](self, command: Callable[[], T]) -> T | None:
        """The result of a command; None if Valkey does not respond."""
        if time.monotonic() <= self.paused_until:
            return None
        try:
            result = command()
        except redis.RedisError as error:
            self._pause(error)
            return None
        self.failed = False
        return result

    def _pause(self, error: redis.RedisError) -> None:
        if not self.failed:
            log.warning("Valkey does not respond, so each process counts requests alone: %s", error)
        self.failed, self.paused_until = True, time.monotonic() + PAUSE


server = Server()


class RateLimiter:
    """Count requests by caller; the methods are thread-safe."""

    def __init__(self) -> None:
        self.leases: dict[Caller, Lease] = {}
        self.lock = threading.Lock()

    def charge(self, caller: Caller, cost: int) -> Standing:
        """Count one request as `cost` requests; returns whether it is allowed."""
        cost = min(cost, caller.limit)
        window, resets = _window(caller.name, caller.seconds)
        lease = self._lease(caller, window)
        allowed = self._count(lease, cost)
        if not allowed and lease.taken < caller.limit:
            self._extend(caller, lease, max(cost, caller.limit // LEASES))
            allowed = self._count(lease, cost)
        return Standing(allowed, max(0, caller.limit - lease.taken) + lease.left, resets)

    def give_back(self, caller: Caller) -> None:
        """Take back one request that `charge` has just counted."""
        lease = self._lease(caller, _window(caller.name, caller.seconds)[0])
        total = self._add(caller, lease, -1)
        with self.lock:
            lease.taken = total

    def _lease(self, caller: Caller, window: int) -> Lease:
        with self.lock:
            lease = self.leases.get(caller)
            if lease is None or lease.window != window:
                if len(self.leases) >= MOST_CALLERS:
                    self.leases.clear()  # loses the unused requests of some small leases
                lease = self.leases[caller] = Lease(window)
            return lease

    def _count(self, lease: Lease, cost: int) -> bool:
        with self.lock:
            enough = lease.left >= cost
            lease.left -= cost if enough else 0
        return enough

    def _extend(self, caller: Caller, lease: Lease, requests: int) -> None:
        total = self._add(caller, lease, requests)
        granted = max(0, min(requests, caller.limit - (total - requests)))
        with self.lock:
            lease.taken = max(lease.taken, total)
            lease.left += granted

    def _add(self, caller: Caller, lease: Lease, requests: int) -> int:
        """Add requests to a window; returns how many all processes have taken from it."""
        total = server.call(partial(_increase, caller, lease.window, requests))
        return lease.taken + requests if total is None else total


def note_use(key: int) -> None:
    """Store the current time as the last use of the API key with this id."""
    server.call(partial(_note_use, key))


def last_uses() -> dict[int, float]:
    """Return when each API key was last used, as far as Valkey knows: Unix time by the key's id."""
    stored = valkey().hgetall(prefixed(LAST_USES))
    return {int(pk): float(used_at) for pk, used_at in stored.items()}


def _increase(caller: Caller, window: int, requests: int) -> int:
    counter = prefixed(f"window:{_counter_name(caller, window)}")
    with valkey().pipeline() as pipeline:
        pipeline.incrby(counter, requests)
        pipeline.expire(counter, 2 * caller.seconds)
        return int(pipeline.execute()[0])


def _note_use(key: int) -> None:
    with valkey().pipeline() as pipeline:
        pipeline.hset(prefixed(LAST_USES), str(key), str(time.time()))
        pipeline.expire(prefixed(LAST_USES), LAST_USES_EXPIRE)
        pipeline.execute()


def _window(name: str, seconds: int = WINDOW) -> tuple[int, int]:
    """The number of the present window and the seconds until it ends.

    Each name has an offset of its own, so that not all windows end at the same time.
    """
    window, past = divmod(time.time() + zlib.crc32(name.encode()) % seconds, seconds)
    return int(window), max(1, round(seconds - past))


def _counter_name(caller: Caller, window: int) -> str:
    """Hash the caller and the window, because Valkey writes its keys to disk.

    So no address is stored, and the counters of two windows cannot be linked to each other.
    """
    text = f"{caller.kind} {caller.name} {window}".encode()
    key = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()


def prefixed(name: str) -> str:
    """The key `name` of this platform: several platforms may share a Valkey."""
    return f"{settings.VALKEY_PREFIX}{name}"
