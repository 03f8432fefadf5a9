"""What is kept of an answer, as bytes, and what a client is told of it."""

import gzip
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from flights.web import caching

from .cache_key import Environ
from .watch import Published

type Headers = list[tuple[str, str]]
type Wire = list[tuple[bytes, bytes]]
type Body = Iterable[bytes]

LARGEST = 1 << 20  # bytes of a body; a larger one costs the place of many others
SMALLEST_PACKED = 512  # bytes; a smaller body would not travel faster
BESIDE = 3_000  # bytes of memory for an answer's headers, key and objects, measured

VARIES = {"accept", "accept-encoding"}  # what a key holds of the request's headers
OF_BODY = {"content-length", "content-type", "content-encoding"}
# What Django says of pages; a browser shows no such answer as one. Each would cost 1 % of a hit.
OF_PAGES = {"allow", "x-frame-options", "referrer-policy", "cross-origin-opener-policy"}


class Reply(NamedTuple):
    status: str
    headers: Headers
    body: Any  # chunks of bytes; Django's has to be closed
    wire: Wire | None = None  # the headers as bytes, where they are sent more than once


class Answer(NamedTuple):
    states: frozenset[Published]  # what it says to be of: it holds while all of it is current
    etag: str
    whole: Reply | None  # None where Django said no more than that nothing has changed
    unchanged: Reply
    size: int  # bytes of memory

    def reply(self, environ: Environ) -> Reply | None:
        """What answers this request; None where that is not known."""
        has = caching.matches(self.etag, environ.get("HTTP_IF_NONE_MATCH", ""))
        return self.unchanged if has else self.whole


def wire(headers: Headers) -> Wire:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def kept(reply: Reply, packed: bool, current: frozenset[Published]) -> Answer | None:
    """What others may be told of Django's reply; where that is nothing, its body is not read."""
    said = {name.lower(): value for name, value in reply.headers}
    stated = set(said.get("x-airsense-version", "").split(", "))
    states = frozenset(published for published in current if published.version in stated)
    if len(states) < len(stated) or not _for_all(reply.status, said):
        return None
    with closing(reply.body):
        body = b"".join(reply.body)
    packed = packed and len(body) >= SMALLEST_PACKED
    sent = gzip.compress(body, mtime=0) if packed else body
    headers = _headers(said, len(sent), packed)
    ok = reply.status.startswith("200")
    whole = Reply(reply.status, headers, [sent], wire(headers)) if ok else None
    bare = [(name, value) for name, value in headers if name not in OF_BODY]
    unchanged = Reply("304 Not Modified", bare, [], wire(bare))
    return Answer(states, said["etag"], whole, unchanged, BESIDE + len(sent))


def _for_all(status: str, said: Mapping[str, str]) -> bool:
    """Whether a view let its answer be shared, and everything that it depends on is in the key."""
    varies = {name.strip().lower() for name in said.get("vary", "").split(",") if name}
    return (
        "public" in said.get("cache-control", "")
        and "etag" in said
        and "set-cookie" not in said
        and varies <= VARIES
        and (status.startswith("304") or (status.startswith("200") and _small(said)))
    )


def _small(said: Mapping[str, str]) -> bool:
    """A stream does not say how long it is."""
    return int(said.get("content-length", LARGEST + 1)) <= LARGEST


def _headers(said: Mapping[str, str], length: int, packed: bool) -> Headers:
    own = {"content-length": str(length), "vary": "Accept, Accept-Encoding"}
    if packed:  # the same rows in other bytes: the ETag is a weak one
        own |= {"content-encoding": "gzip", "etag": f"W/{said['etag']}"}
    needless = () if said.get("content-type", "").startswith("text/html") else OF_PAGES
    return [pair for pair in {**said, **own}.items() if pair[0] not in needless]
