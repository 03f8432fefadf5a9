"""Choose an encoding by Accept-Encoding (RFC 9110, section 12.5.3), and compress files with it."""

import zlib
from collections.abc import Iterator
from functools import lru_cache

from flights.web import quality

GZIP = 16 + zlib.MAX_WBITS  # `wbits` for a gzip header and trailer


def best(accepted: str) -> str:
    """The encoding that an Accept-Encoding header prefers: "zstd", "gzip", or "" for none.

    If the header prefers neither, `zstd` wins: it is faster than `gzip` and compresses as well.
    """
    return _best(accepted, tuple(COMPRESSORS))


def accepts(accepted: str, encoding: str) -> bool:
    """Whether a header accepts an encoding, with a quality not below that of `identity`."""
    return _best(accepted, (encoding,)) == encoding


@lru_cache(1_024)
def _best(accepted: str, encodings: tuple[str, ...]) -> str:
    qualities = quality.read(accepted)
    # `*` stands for every encoding that the header does not name.
    offered = {name: qualities.get(name, qualities.get("*", 0.0)) for name in encodings}
    name = max(offered, key=offered.__getitem__)
    return name if offered[name] > 0 and offered[name] >= qualities.get("identity", 0.0) else ""


def compress(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Compress the chunks of a file; with the encoding "" they stay as they are."""
    return COMPRESSORS[encoding](chunks) if encoding else chunks


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(1, wbits=GZIP)
    for chunk in chunks:
        if data := compressor.compress(chunk):
            yield data
    yield compressor.flush()


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    import pyarrow as pa  # uses much memory, so import it only when needed

    from .arrow import Sink

    sink = Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as compressor:
        for chunk in chunks:
            compressor.write(chunk)
            yield sink.take()
    yield sink.take()


COMPRESSORS = {"zstd": _zstd, "gzip": _gzip}
