"""Read request bodies within limits of size, time and memory."""

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable
from typing import IO, Any

from django.conf import settings

from flights.query.limits import Refusal

type Receive = Callable[[], Awaitable[dict[str, Any]]]

# Seconds to keep reading after a refusal. A client that is still sending would otherwise get a
# connection reset instead of the response (RFC 9112, section 9.6).
LINGER = 2.0


class RefusedBody(Exception):
    """A body that is not read to its end; `refusal` is the response's status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(status, message)


class MemoryBody(io.BytesIO):
    """A body in memory. All open bodies of a process share BODIES_LIMIT bytes.

    The event loop writes it and a thread closes it, hence the lock.
    """

    total = 0  # bytes
    lock = threading.Lock()

    def write(self, chunk: Any) -> int:
        """Raises RefusedBody (503) if the process already holds BODIES_LIMIT."""
        if MemoryBody.total + len(chunk) > settings.BODIES_LIMIT:
            limit = settings.BODIES_LIMIT >> 20
            raise RefusedBody(503, f"The server is receiving too many bodies: {limit:,} MiB.")
        self._count(len(chunk))
        return super().write(chunk)

    def close(self) -> None:
        if not self.closed:
            self._count(-self.getbuffer().nbytes)
        super().close()

    def _count(self, size: int) -> None:
        with MemoryBody.lock:
            MemoryBody.total += size


async def read(receive: Receive, file: IO[bytes], content_length: str, limit: int) -> int:
    """Write the body to `file` and rewind it; return the size in bytes.

    `content_length` is the header's value, or "" for a chunked body. Raises RefusedBody: 413 if
    the body is too long, 408 if it comes too slowly, 400 if it ends early, 507 if the disk is full.
    """
    if content_length and int(content_length) > limit:
        raise _too_long(int(content_length), limit)
    loop, size, more = asyncio.get_running_loop(), 0, True
    started_at = loop.time()
    while more:
        try:
            async with asyncio.timeout_at(_deadline(started_at, size)):
                message = await receive()
        except TimeoutError:
            raise _too_slow(size) from None
        if message["type"] == "http.disconnect":
            raise RefusedBody(400, "The body ends too early, or its chunks are malformed.")
        size += len(message["body"])
        if size > limit:
            raise _too_long(size, limit)
        _write(file, message["body"])
        more = message["more_body"]
    file.seek(0)
    return size


async def discard(receive: Receive) -> None:
    """Read the rest of a body for up to LINGER seconds and drop it."""
    try:
        async with asyncio.timeout(LINGER):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass


def _write(file: IO[bytes], chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise RefusedBody(507, f"The file cannot be stored: {error.strerror}.") from None


def _deadline(started_at: float, size: int) -> float:
    return started_at + settings.BODY_TIMEOUT + size / settings.BODY_RATE


def _too_long(size: int, limit: int) -> RefusedBody:
    return RefusedBody(413, f"The body has {size:,} bytes; the limit is {limit:,}.")


def _too_slow(size: int) -> RefusedBody:
    return RefusedBody(
        408,
        f"The body came too slowly: {size:,} bytes so far. It may take {settings.BODY_TIMEOUT} s,"
        f" plus a second for every {settings.BODY_RATE:,} bytes received.",
    )
