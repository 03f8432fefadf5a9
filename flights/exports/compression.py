"""Compress files during download, by Accept-Encoding."""

import zlib
from collections.abc import Iterator
from functools import lru_cache

from flights.web import quality

GZIP = 16 + zlib.MAX_WBITS  # zlib's code for the gzip format


def best(accepted: str) -> str:
    """The encoding that an Accept-Encoding header prefers; "" for none.

    Of equal qualities `zstd` wins: it is faster than `gzip` and compresses as well.
    """
    return _best(accepted, tuple(PACKERS))


def accepts(accepted: str, encoding: str) -> bool:
    """Whether a header accepts an encoding and prefers it to no encoding."""
    return _best(accepted, (encoding,)) == encoding


@lru_cache(1_024)
def _best(accepted: str, encodings: tuple[str, ...]) -> str:
    qualities = quality.read(accepted)
    # `*` stands for every encoding that the header does not name.
    wanted = {name: qualities.get(name, qualities.get("*", 0.0)) for name in encodings}
    name = max(wanted, key=wanted.__getitem__)
    return name if wanted[name] > 0 and wanted[name] >= qualities.get("identity", 0.0) else ""


def pack(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    return PACKERS[encoding](chunks) if encoding else chunks


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, wbits=GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    import pyarrow as pa  # needs much memory, so load it only when needed

    from .arrow import Sink

    sink = Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as packer:
        for chunk in chunks:
            packer.write(chunk)
            yield sink.take()
    yield sink.take()


PACKERS = {"zstd": _zstd, "gzip": _gzip}
