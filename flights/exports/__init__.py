"""Files of whole queries, streamed while PostgreSQL reads the rows: memory stays flat."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.request import Request

from flights.models import TableVersion
from flights.query import cost
from flights.query.query import Query
from flights.query.shared_slots import FILES
from flights.web.disconnect import GONE

from . import compression
from .copy_out import CopyReader
from .files import File
from .formats import FORMATS

__all__ = ["FORMATS", "content_encoding", "respond"]

AHEAD = 1 << 18  # bytes that are read before the first is sent


class Stream:
    """The chunks of a file. Its connection and its slot are held until it is closed."""

    def __init__(self, chunks: Iterator[bytes], held: ExitStack) -> None:
        self.chunks, self.held = chunks, held

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.held.close()


def respond(
    request: Request, query: Query, version: TableVersion, headers: dict[str, str]
) -> StreamingHttpResponse:
    """The query's rows as a file, streamed while PostgreSQL reads them."""
    format_ = FORMATS[request.accepted_renderer.format]
    file = File(format_, query, version, content_encoding(request))
    with ExitStack() as held:
        reader = held.enter_context(CopyReader(request.META.get(GONE)))
        held.enter_context(cost.slot(reader.connection, *file.statement, version, FILES))
        number = file.number(reader)
        format_.check(number)
        if request.headers.get("Want-Repr-Digest"):
            headers["Repr-Digest"] = _digest(file.chunks(reader))
        # Errors of the query become a status, so read ahead before the status is sent.
        stream = _begun(held, file.chunks(reader))
    headers |= {
        "X-AirSense-Limit": "none" if file.limit is None else str(file.limit),
        "X-AirSense-Rows": str(number),
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Vary": "Accept, Accept-Encoding",
    }
    if file.encoding:
        headers["Content-Encoding"] = file.encoding
    return StreamingHttpResponse(stream, content_type=format_.content_type, headers=headers)


def content_encoding(request: Request) -> str:
    """The Content-Encoding of a file; "" for none."""
    format_ = FORMATS.get(request.accepted_renderer.format)
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    return compression.best(accepted) if format_ and format_.compressible else ""


def _begun(held: ExitStack, chunks: Any) -> Stream:
    """A stream whose beginning is read ahead. A small file is read whole and frees its slot."""
    held.callback(chunks.close)
    first, size = [], 0
    for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size >= AHEAD:
            return Stream(chain(first, chunks), held.pop_all())
    return Stream(iter(first), ExitStack())


def _digest(chunks: Iterator[bytes]) -> str:
    """The header Repr-Digest. It needs the whole file, so the file is read twice."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return repr_digest(digest.digest())


def repr_digest(digest: bytes) -> str:
    """A SHA-256 digest as the header Repr-Digest writes it (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"
