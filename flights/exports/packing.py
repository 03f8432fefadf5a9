"""Files packed on their way, as the client can unpack them."""

import re
import zlib
from collections.abc import Iterator

REFUSED = r"\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))"
GZIP = 16 + zlib.MAX_WBITS  # zlib's word for it


def best(accepted: str) -> str:
    """`zstd` before `gzip`: it is faster and packs as well; "" for neither."""
    return next((way for way in PACKERS if accepts(accepted, way)), "")


def accepts(accepted: str, way: str) -> bool:
    """Whether an Accept-Encoding header has a way and does not refuse it."""
    return re.search(rf"\b{way}{REFUSED}", accepted, re.IGNORECASE) is not None


def pack(chunks: Iterator[bytes], way: str) -> Iterator[bytes]:
    return PACKERS[way](chunks) if way else chunks


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, wbits=GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    import pyarrow as pa  # large in memory, and not every web process needs it

    from .tables import Sink

    sink = Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as packer:
        for chunk in chunks:
            packer.write(chunk)
            yield sink.take()
    yield sink.take()


PACKERS = {"zstd": _zstd, "gzip": _gzip}
