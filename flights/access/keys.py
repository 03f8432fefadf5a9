"""API keys: create, revoke and check them.

Everybody can read the data without a key; a key raises the rate limit. The database stores only the
SHA-256 hash of a key.
"""

import hashlib
import math
import re
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Q
from django.utils import timezone

from flights.errors import BadKey, BadQuery
from flights.models import ApiKey
from flights.versions import READER, with_retry

from . import rate_limiter

FORM = re.compile(r"airsense_[\w-]{43}", re.ASCII)
PREFIX = 16  # first characters of a key, stored so that people can tell keys apart; 36 stay secret
CACHED_FOR = 1.0  # seconds during which a revoked key may still be accepted
MOST_CACHED = 10_000  # keys in the cache of a process, including unknown keys
# Columns that the reader role may select, besides `id` and `digest`.
READ = ("prefix", "scopes", "rate", "ends_at", "revoked_at")


class BadScope(BadQuery):
    """The key is valid, but not for this part of the API; 403."""

    status_code = 403


_cache: dict[str, tuple[float, ApiKey | None]] = {}  # by digest, with the time of the look-up
NEVER = -math.inf, None


def make(key: ApiKey) -> str:
    """Save a new key and return its secret, which cannot be read again."""
    key.secret = f"airsense_{secrets.token_urlsafe(32)}"
    key.prefix, key.digest = key.secret[:PREFIX], _digest(key.secret)
    key.save()
    return key.secret


def revoke(key: ApiKey) -> None:
    """Revoke a key; every process refuses it after `CACHED_FOR` seconds at the latest."""
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])


def find(secret: str, scope: str) -> ApiKey:
    """Return the valid key with this secret.

    Raises BadKey (401) if the key is unknown, expired or revoked, and BadScope (403) if it is not
    for `scope`. The state of the key may be `CACHED_FOR` seconds old. An unsalted hash is safe,
    because a secret has 256 random bits.
    """
    key = _by_digest(_digest(secret)) if FORM.fullmatch(secret) else None
    if error := _refusal(key, [scope]):
        raise error
    assert key  # otherwise there is an error
    return key


def is_known_valid(secret: str, scopes: frozenset[str]) -> bool:
    """Whether the cache shows that this key is valid for all of these scopes, without a query."""
    looked_up_at, key = _cache.get(_digest(secret), NEVER)
    return _is_fresh(looked_up_at) and _refusal(key, scopes) is None


def save_last_uses() -> int:
    """Copy the time of each key's last use from Valkey to PostgreSQL; returns the keys updated."""
    updated = 0
    for pk, timestamp in rate_limiter.last_uses().items():
        used_at = datetime.fromtimestamp(timestamp, UTC)
        older = Q(last_used_at=None) | Q(last_used_at__lt=used_at)
        updated += ApiKey.objects.filter(older, pk=pk).update(last_used_at=used_at)
    return updated


def _refusal(key: ApiKey | None, scopes: Iterable[str]) -> BadKey | BadScope | None:
    """The error for a request with this key; None if the key is valid for all of the scopes."""
    if key is None:
        return BadKey("This API key is unknown. Send a valid key, or none: the data are public.")
    if key.state != "valid":
        verb, at = ("was revoked", key.revoked_at) if key.revoked_at else ("expired", key.ends_at)
        return BadKey(f"The key {key.prefix}... {verb} at {at:%Y-%m-%d %H:%M} UTC.")
    for scope in scopes:
        if scope not in key.scopes:
            return BadScope(f"The key {key.prefix}... is not for {scope}.", key.scopes)
    return None


def _by_digest(digest: str) -> ApiKey | None:
    looked_up_at, key = _cache.get(digest, NEVER)
    if not _is_fresh(looked_up_at):
        now = time.monotonic()
        matching = ApiKey.objects.using(READER).only(*READ).filter(digest=digest)
        key = with_retry(matching.first)
        if len(_cache) >= MOST_CACHED:
            _cache.clear()
        _cache[digest] = now, key
        if key and key.state == "valid":
            rate_limiter.note_use(key.pk)  # here, because cached responses are not counted
    return key


def _is_fresh(looked_up_at: float) -> bool:
    return time.monotonic() - looked_up_at <= CACHED_FOR


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
