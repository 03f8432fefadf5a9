"""Cache entries: a response as bytes, ready to be sent in full or as a 304."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from flights.web import caching

from .cache_key import Environ
from .watch import Published

type Headers = Sequence[tuple[str, str]]
type RawHeaders = Sequence[tuple[bytes, bytes]]
type Body = Iterable[bytes]

LARGEST = 1 << 20  # bytes of a body; a larger one would displace many other entries
MIN_GZIP_SIZE = 512  # bytes; compressing less saves no network packet
OVERHEAD = 2_100  # bytes of memory for an entry's headers and objects; a test measures it

VARIES = {"accept", "accept-encoding"}  # the request headers that the cache key covers
BODY_HEADERS = {"content-length", "content-type", "content-encoding"}
# Only useful for HTML pages. Leaving each out of other responses makes a hit 1 % faster.
PAGE_HEADERS = {"allow", "x-frame-options", "referrer-policy", "cross-origin-opener-policy"}


class Reply(NamedTuple):
    """A response in WSGI's terms."""

    status: str  # such as "200 OK"
    headers: Headers
    body: Any  # iterable of bytes; Django's body has to be closed
    raw_headers: RawHeaders | None = None  # encoded headers, for replies that are sent repeatedly


class Entry(NamedTuple):
    """A cached response, valid while all of its versions are published.

    Its headers and bodies are tuples, because garbage collection scans each list of each entry.
    """

    versions: frozenset[Published]
    scopes: frozenset[str]  # those that a client's API key needs
    etag: str
    full: Reply | None  # None if Django's response was a 304
    not_modified: Reply
    size: int  # bytes of memory without the key

    def reply(self, environ: Environ) -> Reply | None:
        """Return the full response or a 304, by If-None-Match; None if only the 304 is cached."""
        unchanged = caching.matches(self.etag, environ.get("HTTP_IF_NONE_MATCH", ""))
        return self.not_modified if unchanged else self.full


class Failure(NamedTuple):
    """A reply to a failed query, shared by the clients that wait for it."""

    scopes: frozenset[str]  # those that a client's API key needs
    full: Reply

    def reply(self, environ: Environ) -> Reply:
        """Return the full reply, whatever If-None-Match says."""
        return self.full


def encode(headers: Headers) -> RawHeaders:
    """Encode headers as ASGI sends them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def from_reply(
    reply: Reply, accepts_gzip: bool, current: frozenset[Published], scopes: Iterable[str]
) -> Entry | None:
    """Make a cache entry of Django's reply; None, without reading the body, if it is not cacheable.

    A reply is cacheable if its X-AirSense-Version names only versions in `current`.
    """
    headers = {name.lower(): value for name, value in reply.headers}
    versions = _versions(headers.get("x-airsense-version", ""), current)
    if versions is None or not _is_shareable(reply.status, headers):
        return None
    with closing(reply.body):
        body = b"".join(reply.body)
    compressed = accepts_gzip and len(body) >= MIN_GZIP_SIZE
    content = gzip.compress(body, mtime=0) if compressed else body
    shared = [_shared(*pair) for pair in _headers(headers, len(content), compressed)]
    own_headers, raw = zip(*shared, strict=True)
    ok = reply.status.startswith("200")
    full = Reply(reply.status, own_headers, (content,), raw) if ok else None
    mask = [name not in BODY_HEADERS for name, _ in own_headers]
    bodyless, raw_bodyless = tuple(compress(own_headers, mask)), tuple(compress(raw, mask))
    not_modified = Reply("304 Not Modified", bodyless, (), raw_bodyless)
    return Entry(
        versions, frozenset(scopes), headers["etag"], full, not_modified, OVERHEAD + len(content)
    )


def failure(reply: Reply, scopes: Iterable[str]) -> Failure | None:
    """Return the failure that the waiting clients may share; None for other replies.

    Only 5xx: the query itself failed, whoever sent it. An error of the client (4xx) counts as a
    request of that client, and runs no query.
    """
    if not reply.status.startswith("5"):
        return None
    with closing(reply.body):
        full = Reply(reply.status, reply.headers, [b"".join(reply.body)])
    return Failure(frozenset(scopes), full)


@lru_cache(256)
def _versions(names: str, current: frozenset[Published]) -> frozenset[Published] | None:
    """The versions that a header names; None if one is not current."""
    wanted = set(names.split(", "))
    versions = frozenset(published for published in current if published.version in wanted)
    return versions if len(versions) == len(wanted) else None


# Most headers of all entries are equal. Sharing them saves half of an entry's memory, and most of
# the objects that garbage collection visits while the cache fills.
@lru_cache(1_024)
def _shared(name: str, value: str) -> tuple[tuple[str, str], tuple[bytes, bytes]]:
    """A header, and the header as ASGI sends it."""
    return (name, value), encode([(name, value)])[0]


def _is_shareable(status: str, headers: Mapping[str, str]) -> bool:
    """Whether the view marked the response as public, and the key covers what it varies by."""
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",") if name}
    return (
        "public" in headers.get("cache-control", "")
        and "etag" in headers
        and "set-cookie" not in headers
        and varies <= VARIES
        and (status.startswith("304") or (status.startswith("200") and _is_small(headers)))
    )


def _is_small(headers: Mapping[str, str]) -> bool:
    """Whether the length is known and at most LARGEST; streams have no Content-Length."""
    return int(headers.get("content-length", LARGEST + 1)) <= LARGEST


def _headers(headers: Mapping[str, str], length: int, compressed: bool) -> Headers:
    own = {"content-length": str(length), "vary": "Accept, Accept-Encoding"}
    if compressed:  # the same rows in other bytes: a weak ETag (RFC 9110, section 8.8.1)
        own |= {"content-encoding": "gzip", "etag": f"W/{headers['etag']}"}
    is_page = headers.get("content-type", "").startswith("text/html")
    dropped = () if is_page else PAGE_HEADERS
    return [pair for pair in {**headers, **own}.items() if pair[0] not in dropped]
