"""Files packed on their way, as the client can unpack them."""

import zlib
from collections.abc import Iterator
from functools import lru_cache

from flights.web import quality

GZIP = 16 + zlib.MAX_WBITS  # zlib's word for it


def best(accepted: str) -> str:
    """The way that an Accept-Encoding header wants most; "" for none.

    `zstd` before `gzip` where both are wanted as much: it is faster and packs as well.
    """
    return _best(accepted, tuple(PACKERS))


def accepts(accepted: str, way: str) -> bool:
    """Whether a header wants a way, and as much as a file that is not packed."""
    return _best(accepted, (way,)) == way


@lru_cache(1_024)
def _best(accepted: str, ways: tuple[str, ...]) -> str:
    qualities = quality.read(accepted)
    # `*` is for every way that is not named; to leave a file as it is was not asked for then.
    wanted = {way: qualities.get(way, qualities.get("*", 0.0)) for way in ways}
    way = max(wanted, key=wanted.__getitem__)
    return way if wanted[way] > 0 and wanted[way] >= qualities.get("identity", 0.0) else ""


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

    from .arrow import Sink

    sink = Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as packer:
        for chunk in chunks:
            packer.write(chunk)
            yield sink.take()
    yield sink.take()


PACKERS = {"zstd": _zstd, "gzip": _gzip}
