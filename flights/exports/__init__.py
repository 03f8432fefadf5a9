"""Files of whole queries, streamed as PostgreSQL reads them: nobody holds all rows at once."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import StreamingHttpResponse
from rest_framework.request import Request

from flights import cost
from flights.mirror import Field
from flights.models import TableVersion
from flights.query import Query, whole_number

from . import packing
from .copying import Copying
from .formats import FORMATS, Format

__all__ = ["FORMATS", "answer", "packed"]


class Stream:
    """The chunks of a file; what they need is held until the client has read or left them."""

    def __init__(self, chunks: Iterator[bytes], held: ExitStack) -> None:
        self.chunks, self.held = chunks, held

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.held.close()


@dataclass(frozen=True)
class File:
    """A query's rows in a format; each reading writes the same bytes."""

    format: Format
    fields: list[Field]
    sql: str
    values: Any
    packed: str

    def chunks(self, copying: Copying) -> Iterator[bytes]:
        copied = copying.rows(self.format.statement(self.sql, self.fields), self.values)
        return packing.pack(self.format.write(copied, self.fields), self.packed)


def answer(
    view: Any,
    asked: Query,
    rows: "models.QuerySet[Any]",
    version: TableVersion,
    headers: dict[str, str],
) -> StreamingHttpResponse:
    """The query's rows from its offset to its own limit, or to the end where it has none."""
    format_ = FORMATS[view.request.accepted_renderer.format]
    limit = whole_number(view.parameters, "limit", 0) if view.parameters.get("limit") else None
    end = None if limit is None else asked.offset + limit
    sql, values = asked.select(rows)[asked.offset : end].query.sql_with_params()
    file = File(format_, asked.columns, sql, values, packed(view.request))
    with ExitStack() as held:
        copying = held.enter_context(Copying())
        held.enter_context(cost.slot(copying.connection, sql, values, version, cost.FILES))
        number = _number(copying, asked, rows, version, end)
        format_.check(number)
        if view.request.headers.get("Want-Repr-Digest"):
            headers["Repr-Digest"] = _digest(file.chunks(copying))
        # A query is refused while that can still be told by a status.
        stream = Stream(_begun(held, file.chunks(copying)), held.pop_all())
    said = {
        "X-AirSense-Limit": "none" if limit is None else str(limit),
        "X-AirSense-Rows": str(number),
        "Content-Disposition": f'attachment; filename="{version.relation}.{format_.name}"',
        "Vary": "Accept, Accept-Encoding",
    }
    if file.packed:
        said["Content-Encoding"] = file.packed
    return StreamingHttpResponse(
        stream, content_type=format_.media_type, headers={**headers, **said}
    )


def packed(request: Request) -> str:
    """How a file is packed on its way; "" for not at all."""
    format_ = FORMATS.get(request.accepted_renderer.format)
    accepted = request.headers.get("Accept-Encoding", "")
    return packing.best(accepted) if format_ and format_.packable else ""


def _number(
    copying: Copying,
    asked: Query,
    rows: "models.QuerySet[Any]",
    version: TableVersion,
    end: int | None,
) -> int:
    """How many rows the file will have: a version does not change while it is counted."""
    known = asked.takes_all(rows)
    there = version.rows if known else copying.count(asked.matching(rows).order_by())
    return max(0, (there if end is None else min(end, there)) - asked.offset)


def _begun(held: ExitStack, chunks: Any) -> Iterator[bytes]:
    held.callback(chunks.close)
    first = next(chunks, b"")

    def all_chunks() -> Iterator[bytes]:
        yield first
        yield from chunks

    return all_chunks()


def _digest(chunks: Iterator[bytes]) -> str:
    """Of the file as it is sent (RFC 9530); for who asks, as it takes a second reading."""
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
    return f"sha-256=:{base64.b64encode(found.digest()).decode()}:"
