"""Bodies of requests, read within all limits before a thread has to do with them."""

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable
from typing import IO, Any

from django.conf import settings

from flights.query.limits import Refusal

type Receive = Callable[[], Awaitable[dict[str, Any]]]

# A client who is refused while he sends hears the reason only if somebody listens to the rest.
LINGER = 2.0  # seconds


class Refused(Exception):
    """A body that is not read to its end."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(status, message)


class Memory(io.BytesIO):
    """A body in memory, counted until it is closed: all bodies of a process share `BODIES_LIMIT`.

    The loop writes it, and a thread closes it.
    """

    held = 0
    changing = threading.Lock()

    def write(self, chunk: Any) -> int:
        if Memory.held + len(chunk) > settings.BODIES_LIMIT:
            most = settings.BODIES_LIMIT >> 20
            raise Refused(503, f"Bodies of {most:,} MiB, the most there can be, are being read.")
        self._count(len(chunk))
        return super().write(chunk)

    def close(self) -> None:
        if not self.closed:
            self._count(-self.getbuffer().nbytes)
        super().close()

    def _count(self, size: int) -> None:
        with Memory.changing:
            Memory.held += size


async def read(receive: Receive, file: IO[bytes], stated: str, limit: int) -> int:
    """Write a body of a stated length, or of none, to a file; returns its size.

    Raises Refused where that ends early.
    """
    if stated and int(stated) > limit:
        raise _too_long(int(stated), limit)
    loop, size, more = asyncio.get_running_loop(), 0, True
    began = loop.time()
    while more:
        try:
            async with asyncio.timeout_at(_deadline(began, size)):
                message = await receive()
        except TimeoutError:
            raise _too_slow(size) from None
        if message["type"] == "http.disconnect":
            raise Refused(400, "The body ends too early, or its chunks cannot be read.")
        size += len(message["body"])
        if size > limit:
            raise _too_long(size, limit)
        _write(file, message["body"])
        more = message["more_body"]
    file.seek(0)
    return size


async def discard(receive: Receive) -> None:
    """Read on and keep nothing, for a moment."""
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
        raise Refused(507, f"The file cannot be stored here: {error.strerror}.") from None


def _deadline(began: float, size: int) -> float:
    return began + settings.BODY_TIMEOUT + size / settings.BODY_RATE


def _too_long(size: int, limit: int) -> Refused:
    return Refused(413, f"The body has {size:,} bytes, and at most {limit:,} can be.")


def _too_slow(size: int) -> Refused:
    return Refused(
        408,
        f"After {size:,} bytes the body came too slowly: it may take {settings.BODY_TIMEOUT} s, and"
        f" a second more for every {settings.BODY_RATE:,} bytes that have come.",
    )
