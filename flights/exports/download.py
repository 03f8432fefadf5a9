"""Send an export's file from the folder of exports, whole or in part."""

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
from .ranges import Whole
from .retention import STORAGE
from .slots import slot


def response(export: Export, request: Request) -> HttpResponseBase:
    """The response with the file; Gone if it was removed, Unavailable if too many are sent."""
    with ExitStack() as held:
        file = held.enter_context(_opened(export))
        whole = _whole(export, file.size)
        if not_modified := ranges.unchanged(request, whole):
            return not_modified
        try:
            part = ranges.wanted(request, whole)
        except ranges.Unsatisfiable:
            return _unsatisfiable(whole)
        headers = _headers(export, whole, part)
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        held.enter_context(slot())
        sent = part or range(whole.size)
        file.seek(sent.start)
        stream = Stream(_chunks(file, len(sent)), held.pop_all())
    return StreamingHttpResponse(stream, status=206 if part else 200, headers=headers)


def _whole(export: Export, size: int) -> Whole:
    assert export.finished_at  # as it is done
    return Whole(size, f'"{export.digest}"', int(export.finished_at.timestamp()))


def _headers(export: Export, whole: Whole, part: range | None) -> dict[str, str]:
    headers = {
        "Content-Type": FORMATS[export.format].content_type,
        "Content-Length": str(len(part) if part else whole.size),
        "Content-Disposition": f'attachment; filename="{export.filename}"',
        "Accept-Ranges": "bytes",
        "ETag": whole.etag,
        "Last-Modified": http_date(whole.modified),
        "Cache-Control": "private",
        "Repr-Digest": repr_digest(bytes.fromhex(export.digest)),
    }
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{whole.size}"
    return headers


def _unsatisfiable(whole: Whole) -> Response:
    detail = f"The file has {whole.size:,} bytes, and the Range header names none of them."
    headers = {"Content-Range": f"bytes */{whole.size}", "Accept-Ranges": "bytes"}
    return Response(problem(detail, 416), 416, headers=headers, content_type=PROBLEM)


def _opened(export: Export) -> "File[bytes]":
    try:
        file: File[bytes] = STORAGE.open(export.stored)
    except FileNotFoundError:
        raise Gone("The file was removed. Ask for the export again.") from None
    return file


def _chunks(file: "File[bytes]", rest: int) -> Iterator[bytes]:
    while rest and (chunk := file.read(min(CHUNK, rest))):
        rest -= len(chunk)
        yield chunk
