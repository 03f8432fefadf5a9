"""A file of the folder on its way, whole or from where an interrupted download stopped."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from django.core.files.base import File
from django.http import StreamingHttpResponse

from flights.errors import Gone
from flights.models import Export

from . import Stream, repr_digest
from .copying import CHUNK
from .formats import FORMATS
from .keeping import STORAGE
from .places import place


def response(export: Export, headers: Any) -> StreamingHttpResponse:
    """Gone where somebody removed the file, Unavailable where too many are sent."""
    with ExitStack() as held:
        held.enter_context(place())
        file = held.enter_context(_opened(export))
        etag, size = f'"{export.digest}"', file.size
        first, end = _part(headers, etag, size)
        file.seek(first)
        part = end - first < size
        stream = Stream(_chunks(file, end - first), held.pop_all())
    said = {
        "Content-Length": str(end - first),
        "Content-Disposition": f'attachment; filename="{export.filename}"',
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": "private",
        "Repr-Digest": repr_digest(bytes.fromhex(export.digest)),
        **({"Content-Range": f"bytes {first}-{end - 1}/{size}"} if part else {}),
    }
    type_, status = FORMATS[export.format].content_type, 206 if part else 200
    return StreamingHttpResponse(stream, status=status, content_type=type_, headers=said)


def _opened(export: Export) -> "File[bytes]":
    try:
        file: File[bytes] = STORAGE.open(export.stored)
    except FileNotFoundError:
        raise Gone("The file was removed. Ask for the export again.") from None
    return file


def _part(headers: Any, etag: str, size: int) -> tuple[int, int]:
    """The bytes that are asked for; all where what is asked cannot be had (RFC 9110 allows it)."""
    asked = re.fullmatch(r"bytes=(\d{1,18})-(\d{0,18})", headers.get("Range", ""))
    if not asked or headers.get("If-Range", etag) != etag:
        return 0, size
    first, end = int(asked[1]), min(int(asked[2] or size) + 1, size)
    return (first, end) if first < end else (0, size)


def _chunks(file: "File[bytes]", left: int) -> Iterator[bytes]:
    while left and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
