"""API keys: data are public, a key buys a larger allowance. Only its hash is kept."""

import hashlib
import re
import secrets
import time
from datetime import UTC, datetime

from django.db.models import Q
from django.utils import timezone

from flights.errors import BadKey, BadQuery
from flights.models import ApiKey
from flights.versions import READER, twice

from . import rate_limiter

FORM = re.compile(r"airsense_[\w-]{43}", re.ASCII)
SHOWN = 16  # characters that recognise a key; 36 are left to guess
GOOD_FOR = 1.0  # seconds after which a key that is revoked is one no more
MOST = 10_000  # keys that a process remembers, unknown ones too
READ = ("prefix", "scopes", "rate", "ends_at", "revoked_at")  # what the reader's role may read


class BadScope(BadQuery):
    status_code = 403


_seen: dict[str, tuple[float, ApiKey | None]] = {}


def make(key: ApiKey) -> str:
    """Save a new key; returns its secret, which cannot be read again."""
    key.secret = f"airsense_{secrets.token_urlsafe(32)}"
    key.prefix, key.digest = key.secret[:SHOWN], _digest(key.secret)
    key.save()
    return key.secret


def revoke(key: ApiKey) -> None:
    """Every process refuses it within a second."""
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])


def find(secret: str, scope: str) -> ApiKey:
    """The key of a secret; BadKey says why there is none, BadScope that it is for others.

    As it was a second ago at most. The secret has the entropy of its hash, so a plain one will do.
    """
    key = _known(_digest(secret)) if FORM.fullmatch(secret) else None
    if key is None:
        raise BadKey("This key is unknown. Ask with one that was given; what is public needs none.")
    if key.state != "valid":
        since = key.revoked_at or key.ends_at
        raise BadKey(f"The key {key.prefix}... is {key.state} since {since:%Y-%m-%d %H:%M} UTC.")
    if scope not in key.scopes:
        raise BadScope(f"The key {key.prefix}... is not for {scope}.", key.scopes)
    return key


def note_uses() -> int:
    """Write when keys were used last, to the minute; returns how many were."""
    noted = 0
    for pk, when in rate_limiter.uses().items():
        used = datetime.fromtimestamp(when, UTC)
        newer = Q(last_used_at=None) | Q(last_used_at__lt=used)
        noted += ApiKey.objects.filter(newer, pk=pk).update(last_used_at=used)
    return noted


def _known(digest: str) -> ApiKey | None:
    asked, key = _seen.get(digest, (0.0, None))
    now = time.monotonic()
    if not asked or now - asked > GOOD_FOR:
        kept = ApiKey.objects.using(READER).only(*READ).filter(digest=digest)
        key = twice(kept.first)
        if len(_seen) >= MOST:
            _seen.clear()
        _seen[digest] = now, key
    return key


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
