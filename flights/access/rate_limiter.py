"""Requests counted in windows of a minute or more, which all processes share through Valkey.

A process takes a lease of some requests from the window at once and counts them down in memory, so
that few requests need a round trip. Where Valkey does not answer, each process counts alone.
"""

import hashlib
import logging
import threading
import time
import zlib
from dataclasses import dataclass
from typing import NamedTuple

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
LEASES = 60  # to a window: what a process took and does not use is lost to others until it ends
ANSWERS_WITHIN = 0.5  # seconds; then Valkey is left alone for a while
PAUSE = 5.0  # seconds
MOST_CALLERS = 20_000  # that a process remembers, 200 bytes each
USED = "keys:used"  # when each key was used last, by its number
USED_FOR = 86_400  # seconds; read once a minute

# Made once: a client that two threads make at once closes the connections of the other one.
valkey = redis.Redis.from_url(
    settings.VALKEY_URL,
    socket_timeout=ANSWERS_WITHIN,
    socket_connect_timeout=ANSWERS_WITHIN,
    retry=Retry(NoBackoff(), 0),
)


class Caller(NamedTuple):
    """Who is counted: such as an `address` or a `key`, and at most so many requests a window."""

    kind: str
    name: str
    limit: int
    seconds: int = WINDOW


class Standing(NamedTuple):
    allowed: bool
    left: int  # requests of the window, as far as this process knows
    resets: int  # seconds until the next window


@dataclass
class Lease:
    window: int
    left: int = 0  # requests that this process may still answer
    taken: int = 0  # by all processes, when it last heard


class Windows:
    def __init__(self) -> None:
        self.leases: dict[Caller, Lease] = {}
        self.changing = threading.Lock()
        self.alone, self.alone_until = False, 0.0  # of time.monotonic()

    def charge(self, caller: Caller, cost: int) -> Standing:
        """Count a request that is worth `cost` usual ones."""
        cost = min(cost, caller.limit)
        window, resets = _window(caller.name, caller.seconds)
        lease = self._lease(caller, window)
        allowed = self._count(lease, cost)
        if not allowed and lease.taken < caller.limit:
            self._extend(caller, lease, max(cost, caller.limit // LEASES))
            allowed = self._count(lease, cost)
        return Standing(allowed, max(0, caller.limit - lease.taken) + lease.left, resets)

    def give_back(self, caller: Caller) -> None:
        """A request that was charged a moment ago is none of those that are counted."""
        lease = self._lease(caller, _window(caller.name, caller.seconds)[0])
        total = self._taken(caller, lease, -1)
        with self.changing:
            lease.taken = total

    def _lease(self, caller: Caller, window: int) -> Lease:
        with self.changing:
            lease = self.leases.get(caller)
            if lease is None or lease.window != window:
                if len(self.leases) >= MOST_CALLERS:
                    self.leases.clear()  # each takes another lease; those are small
                lease = self.leases[caller] = Lease(window)
            return lease

    def _count(self, lease: Lease, cost: int) -> bool:
        with self.changing:
            enough = lease.left >= cost
            lease.left -= cost if enough else 0
        return enough

    def _extend(self, caller: Caller, lease: Lease, wanted: int) -> None:
        total = self._taken(caller, lease, wanted)
        granted = max(0, min(wanted, caller.limit - (total - wanted)))
        with self.changing:
            lease.taken = max(lease.taken, total)
            lease.left += granted

    def _taken(self, caller: Caller, lease: Lease, wanted: int) -> int:
        """Take requests of a window; how many of it are taken then."""
        if time.monotonic() > self.alone_until:
            try:
                total = _take(caller, lease.window, wanted)
            except redis.RedisError as error:
                self._lose(error)
            else:
                self.alone = False
                return total
        return lease.taken + wanted

    def _lose(self, error: redis.RedisError) -> None:
        if not self.alone:
            log.warning("Valkey does not answer, so each process counts requests alone: %s", error)
        self.alone, self.alone_until = True, time.monotonic() + PAUSE


def uses() -> dict[int, float]:
    """When each key was used last, as far as Valkey knows: seconds since 1970."""
    return {int(pk): float(when) for pk, when in valkey.hgetall(_named(USED)).items()}


def _take(caller: Caller, window: int, wanted: int) -> int:
    counter = _named(f"window:{_secret(caller, window)}")
    with valkey.pipeline() as asked:
        asked.incrby(counter, wanted)
        asked.expire(counter, 2 * caller.seconds)
        if caller.kind == "key":
            asked.hset(_named(USED), caller.name, str(time.time()))
            asked.expire(_named(USED), USED_FOR)
        return int(asked.execute()[0])


def _window(name: str, seconds: int = WINDOW) -> tuple[int, int]:
    """The window's number and the seconds until it ends. Not all callers' end at the same time."""
    window, past = divmod(time.time() + zlib.crc32(name.encode()) % seconds, seconds)
    return int(window), max(1, round(seconds - past))


def _secret(caller: Caller, window: int) -> str:
    """Valkey writes what it is told to its disk: no address is, and no two windows are alike."""
    said = f"{caller.kind} {caller.name} {window}".encode()
    key = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    return hashlib.blake2b(said, key=key, digest_size=16).hexdigest()


def _named(name: str) -> str:
    return f"{settings.VALKEY_PREFIX}{name}"
