"""Send an export's file from the folder of exports: the whole file or the requested range."""

from collections.abc import Iterator
from contextlib import ExitStack

from django.core.files.base import File
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date
from rest_framework.request import Request
from rest_framework.response import Response

from flights.errors import Gone
from flights.errors.responses import PROBLEM, problem
from flights.models import Export

from . import Stream, ranges, repr_digest
from .copy_out import CHUNK
from .formats import FORMATS
from .ranges import FileInfo
from .retention import STORAGE
from .slots import slot


def response(export: Export, request: Request) -> HttpResponseBase:
    """The response to a download: 200, 206 with a range of bytes, 304 or 416.

    Raises Gone (410) if the file was removed, PreconditionFailed (412), and Unavailable (503) if
    too many files are being sent.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_open(export))
        info = _info(export, file.size)
        if not_modified := ranges.not_modified(request, info):
            return not_modified
        try:
            part = ranges.requested(request, info)
        except ranges.Unsatisfiable:
            return _range_not_satisfiable(info)
        headers = _headers(export, info, part)
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        stack.enter_context(slot())
        positions = part or range(info.size)
        file.seek(positions.start)
        stream = Stream(_chunks(file, len(positions)), stack.pop_all())
    return StreamingHttpResponse(stream, status=206 if part else 200, headers=headers)


def _info(export: Export, size: int) -> FileInfo:
    assert export.finished_at  # set, because the export is done
    return FileInfo(size, f'"{export.digest}"', int(export.finished_at.timestamp()))


def _headers(export: Export, info: FileInfo, part: range | None) -> dict[str, str]:
    headers = {
        "Content-Type": FORMATS[export.format].content_type,
        "Content-Length": str(len(part) if part else info.size),
        "Content-Disposition": f'attachment; filename="{export.filename}"',
        "Accept-Ranges": "bytes",
        "ETag": info.etag,
        "Last-Modified": http_date(info.modified),
        "Cache-Control": "private",
        "Repr-Digest": repr_digest(bytes.fromhex(export.digest)),
    }
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{info.size}"
    return headers


def _range_not_satisfiable(info: FileInfo) -> Response:
    detail = f"The file has {info.size:,} bytes, and the requested range is outside it."
    headers = {"Content-Range": f"bytes */{info.size}", "Accept-Ranges": "bytes"}
    return Response(problem(detail, 416), 416, headers=headers, content_type=PROBLEM)


def _open(export: Export) -> "File[bytes]":
    try:
        file: File[bytes] = STORAGE.open(export.stored)
    except FileNotFoundError:
        raise Gone("The file was removed. Request the export again.") from None
    return file


def _chunks(file: "File[bytes]", size: int) -> Iterator[bytes]:
    """Read the next `size` bytes of a file."""
    while size and (chunk := file.read(min(CHUNK, size))):
        size -= len(chunk)
        yield chunk
