"""Files of whole queries, streamed as PostgreSQL reads them: nobody holds all rows at once."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Any

from django.db import models
from django.http import StreamingHttpResponse
from rest_framework.request import Request

from flights.models import TableVersion
from flights.query import cost
from flights.query.query import Query
from flights.web.disconnect import GONE

from . import compression, files
from .copy_out import Copying
from .files import File
from .formats import FORMATS

__all__ = ["FORMATS", "answer", "packed"]

AHEAD = 1 << 18  # bytes that are read before the first is sent


class Stream:
    """The chunks of a file; what they need is held until the client has read or left them."""

    def __init__(self, chunks: Iterator[bytes], held: ExitStack) -> None:
        self.chunks, self.held = chunks, held

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.held.close()


def answer(
    view: Any,
    asked: Query,
    rows: "models.QuerySet[Any]",
    version: TableVersion,
    headers: dict[str, str],
) -> StreamingHttpResponse:
    """The query's rows as a file, while PostgreSQL writes them."""
    format_ = FORMATS[view.request.accepted_renderer.format]
    limit = files.limit(view.parameters)
    file = File(format_, asked, rows, version, limit, packed(view.request))
    with ExitStack() as held:
        copying = held.enter_context(Copying(view.request.META.get(GONE)))
        held.enter_context(cost.slot(copying.connection, *file.query, version, cost.FILES))
        number = file.number(copying)
        format_.check(number)
        if view.request.headers.get("Want-Repr-Digest"):
            headers["Repr-Digest"] = _digest(file.chunks(copying))
        # A query is refused while that can still be told by a status.
        stream = _begun(held, file.chunks(copying))
    said = {
        "X-AirSense-Limit": "none" if limit is None else str(limit),
        "X-AirSense-Rows": str(number),
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Vary": "Accept, Accept-Encoding",
    }
    if file.packed:
        said["Content-Encoding"] = file.packed
    return StreamingHttpResponse(
        stream, content_type=format_.content_type, headers={**headers, **said}
    )


def packed(request: Request) -> str:
    """How a file is packed on its way; "" for not at all."""
    format_ = FORMATS.get(request.accepted_renderer.format)
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    return compression.best(accepted) if format_ and format_.packable else ""


def _begun(held: ExitStack, chunks: Any) -> Stream:
    """A file read ahead. What is small is read whole, and waits for its client without a place."""
    held.callback(chunks.close)
    first, size = [], 0
    for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size >= AHEAD:
            return Stream(chain(first, chunks), held.pop_all())
    return Stream(iter(first), ExitStack())


def _digest(chunks: Iterator[bytes]) -> str:
    """Of the file as it is sent; for who asks, as it takes a second reading."""
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return repr_digest(found.digest())


def repr_digest(digest: bytes) -> str:
    """SHA-256 as the header says it (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"
