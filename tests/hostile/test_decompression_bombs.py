"""Small files that unpack to far more, or state wrong sizes, are refused in bounded memory."""

import gzip
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.platform import Platform, most_memory
from tests.test_ingest import HEADER, NAMES, ROW, Ingest, batches, ingest, refusal, warehouse
from transfers.exceptions import BadInput
from transfers.ingest.parquet_pages import FOOTER

__all__ = ["ingest", "warehouse"]  # fixtures

MEMORY = 600  # MB; what Django, Arrow and DuckDB take for any large file is half of it
LINE = "the line is longer than 131,072 bytes."
GIB = 1 << 30


def attempt(tmp_path: Path, file: Path, **env: str) -> tuple[str, int]:
    """The message of `ingest` for a file that it must refuse, and its peak memory in MB."""
    log = tmp_path / "log"
    own = Platform({"WAREHOUSE_URL": f"duckdb://{tmp_path}/warehouse", **env}, log=log)
    with own.started("ingest", str(file)) as process:
        most = most_memory(process)
    assert process.returncode == 1, log.read_text()
    *_, line = log.read_text().splitlines()  # after the report on the columns
    return line.partition(f"{tmp_path}/")[2], most


def bomb_gz(file: Path, head: str, unit: bytes, times: int) -> None:
    """Members of a .gz are joined when they are read, so one is packed and repeated."""
    with file.open("wb") as out:
        out.write(gzip.compress(head.encode()))
        packed = gzip.compress(unit)
        for _ in range(times):
            out.write(packed)


def bomb_zip(file: Path, head: str, unit: bytes, times: int) -> None:
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("f.csv", "w", force_zip64=True) as member,
    ):
        member.write(head.encode())
        for _ in range(times):
            member.write(unit)


def test_three_gigabytes_in_one_line_of_a_gz_are_refused_at_once(tmp_path: Path) -> None:
    bomb_gz(tmp_path / "f.csv.gz", f"{HEADER}\n", b"x" * (GIB // 16), 48)
    assert (tmp_path / "f.csv.gz").stat().st_size < 4 << 20
    says, most = attempt(tmp_path, tmp_path / "f.csv.gz")
    assert says.startswith(f"f.csv.gz, line 2: {LINE}")
    assert most < MEMORY


@pytest.mark.deep
def test_a_gigabyte_in_one_line_of_a_zip_is_refused_at_once(tmp_path: Path) -> None:
    bomb_zip(tmp_path / "f.zip", f"{HEADER}\n", b"x" * (GIB // 16), 16)
    says, most = attempt(tmp_path, tmp_path / "f.zip")
    assert says.startswith(f"f.zip, line 2: {LINE}")
    assert most < MEMORY


@pytest.mark.parametrize(
    ("name", "bomb"),
    [("f.csv.gz", bomb_gz), pytest.param("f.zip", bomb_zip, marks=pytest.mark.deep)],
)
def test_a_file_may_not_unpack_to_far_more_than_it_is(
    tmp_path: Path, name: str, bomb: Callable[..., None]
) -> None:
    bomb(tmp_path / name, f"{HEADER}\n", f"{ROW}\n".encode() * 20_000, 200)  # 190 MB
    limits = {"INGEST_UNPACKED_MIB": "32", "INGEST_RATIO": "50"}
    says, most = attempt(tmp_path, tmp_path / name, **limits)
    assert says == (
        f"{name}: it unpacks to more than 32 MiB and more than 50 times its size."
        " Split it, or raise INGEST_UNPACKED_MIB or INGEST_RATIO."
    )
    assert most < MEMORY


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile("f.zip", "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return "f.zip"


RECORDS = f"{HEADER}\n{ROW}\n".encode()


@pytest.mark.parametrize("size", [10, 10 * len(RECORDS), 1 << 31])
def test_a_zip_with_a_wrong_size_of_a_member_is_refused(ingest: Ingest, size: int) -> None:
    packed = Path(archive(("f.csv", RECORDS))).read_bytes()
    true, lie = struct.pack("<L", len(RECORDS)), struct.pack("<L", size)
    Path("f.zip").write_bytes(packed.replace(true, lie))
    says = refusal(ingest, "f.zip")
    assert says.startswith("f.zip: cannot be read: Bad CRC") or f"not {size:,} bytes" in says


def test_a_zip_with_a_wrong_size_and_checksum_is_refused(ingest: Ingest) -> None:
    packed = Path(archive(("f.csv", RECORDS * 2))).read_bytes()
    for true, lie in [
        (len(RECORDS) * 2, len(RECORDS)),
        (zlib.crc32(RECORDS * 2), zlib.crc32(RECORDS)),
    ]:
        packed = packed.replace(struct.pack("<L", true), struct.pack("<L", lie))
    Path("f.zip").write_bytes(packed)
    assert "cannot be read: Bad CRC-32" in refusal(ingest, "f.zip")


def test_nested_and_encrypted_archives_are_refused(ingest: Ingest) -> None:
    inner = Path(archive(("f.csv", RECORDS))).read_bytes()
    says = "Use an archive with CSV files and no password."
    assert refusal(ingest, archive(("inner.zip", inner))) == f"f.zip: it contains inner.zip. {says}"
    assert "line 1: not UTF-8" in refusal(ingest, archive(("inner.csv", inner)))
    Path("f.csv.gz").write_bytes(gzip.compress(gzip.compress(RECORDS)))
    assert "line 1: not UTF-8" in refusal(ingest, "f.csv.gz")
    flags = inner.rindex(b"PK\1\2") + 8
    Path("f.zip").write_bytes(inner[:flags] + b"\1" + inner[flags + 1 :])
    assert refusal(ingest, "f.zip") == f"f.zip: it contains f.csv. {says}"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_a_bound_are_refused(ingest: Ingest, method: int) -> None:
    says = refusal(ingest, archive(("f.csv", RECORDS), method=method))
    assert (
        says
        == f"f.zip: f.csv uses compression method {method}. Compress it with Deflate, the default."
    )


def test_a_zip_of_very_many_members_is_refused(tmp_path: Path) -> None:
    entry = b"PK\1\2" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    listed = entry * (64 << 20 >> 5)
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(listed), 0, 0)
    (tmp_path / "f.zip").write_bytes(listed + end)
    says, most = attempt(tmp_path, tmp_path / "f.zip")
    assert says.startswith("f.zip: its list of members has more than 8 MiB.")
    assert most < MEMORY


def test_members_are_never_files_and_their_names_are_one_short_line(
    ingest: Ingest, tmp_path: Path
) -> None:
    before = set(tmp_path.rglob("*"))
    assert "1 records added" in ingest(archive(("../../escaped.csv", RECORDS)))
    new = {path.name for path in set(tmp_path.rglob("*")) - before}
    assert new == {"f.zip", "warehouse", "warehouse.duckdb", "writer.lock"}
    assert not (tmp_path.parent.parent / "escaped.csv").exists()
    names = [(f"a\n{number}{'x' * 999}.txt", b"") for number in range(999)]
    says = refusal(ingest, archive(*names), replace=True)
    assert "and 994 more. Use an archive with CSV files" in says
    assert len(says) < 700


def records(rows: int, airline: pa.Array) -> pa.Table:
    columns = {name: pa.array(["2013-01-07"] * rows) for name in NAMES[:4]}
    delays = {name: pa.array([1] * rows) for name in NAMES[4:]}
    return pa.table({**columns, **delays, "Airline Name": airline})


def texts_bomb(file: Path, **options: Any) -> int:
    """600 MB of text in some kB of Parquet; returns how much the footer says it is."""
    texts = pa.array([f"{number:06}" + "x" * 100_000 for number in range(6_000)])
    pq.write_table(records(6_000, texts), file, compression="zstd", **options)
    assert file.stat().st_size < 200_000
    return int(pq.ParquetFile(file).metadata.row_group(0).column(1).total_uncompressed_size)


ONE_PAGE = {"use_dictionary": False, "data_page_size": GIB, "write_batch_size": 9_999}
ONE_DICTIONARY = {"dictionary_pagesize_limit": GIB}
AT_ONCE = "f.parquet, row 1: the pages that are read together unpack to more than 256 MiB. Write"


@pytest.mark.deep  # every day: texts that stand in many rows
@pytest.mark.parametrize("options", [ONE_PAGE, ONE_DICTIONARY], ids=["page", "dictionary"])
def test_a_parquet_page_that_unpacks_to_much_is_refused(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    texts_bomb(tmp_path / "f.parquet", **options)
    says, most = attempt(tmp_path, tmp_path / "f.parquet")
    assert says.startswith(AT_ONCE)
    assert most < MEMORY


@pytest.mark.deep  # every day: texts that stand in many rows
def test_a_parquet_footer_with_wrong_sizes_does_not_evade_the_limit(tmp_path: Path) -> None:
    size = texts_bomb(tmp_path / "f.parquet", **ONE_PAGE)
    true = varint(2 * size)  # as Thrift writes a number that may be negative
    lie = b"\x80" * (len(true) - 1) + b"\0"
    content = (tmp_path / "f.parquet").read_bytes()
    assert true in content
    (tmp_path / "f.parquet").write_bytes(content.replace(true, lie))
    metadata = pq.ParquetFile(tmp_path / "f.parquet").metadata
    assert metadata.row_group(0).column(1).total_uncompressed_size == 0
    says, most = attempt(tmp_path, tmp_path / "f.parquet")
    assert says.startswith(AT_ONCE)
    assert most < MEMORY


@pytest.mark.deep
def test_many_long_parquet_texts_take_little_memory(tmp_path: Path) -> None:
    texts_bomb(tmp_path / "f.parquet", use_dictionary=False)  # in pages of 1 MiB
    # DuckDB keeps what was read so far, up to its own limit of 1 GB.
    says, most = attempt(tmp_path, tmp_path / "f.parquet", INGEST_UNPACKED_MIB="64")
    assert says.startswith("f.parquet: it unpacks to more than 64 MiB and more than 100 times")
    assert most < MEMORY


@pytest.mark.deep
def test_texts_that_arrow_collects_for_a_whole_row_group_are_refused(tmp_path: Path) -> None:
    texts = pa.array([f"{number:06}" + "x" * 100_000 for number in range(6_000)])
    table = records(6_000, texts.dictionary_encode())
    pq.write_table(table, tmp_path / "f.parquet", use_dictionary=False, compression="zstd")
    says, most = attempt(tmp_path, tmp_path / "f.parquet")
    assert says.startswith(AT_ONCE)
    assert most < MEMORY


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


@pytest.mark.parametrize(
    "schema", [True, pytest.param(False, marks=pytest.mark.deep)], ids=["dictionary", "text"]
)
def test_a_parquet_text_that_stands_in_many_rows_takes_little_memory(
    tmp_path: Path, schema: bool
) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), ["x" * 100_000])
    with pq.ParquetWriter(
        tmp_path / "f.parquet", records(1, texts[:1]).schema, store_schema=schema
    ) as out:
        out.write_table(records(1_000_000, texts))  # 100 GB as CSV
    says, most = attempt(tmp_path, tmp_path / "f.parquet", INGEST_UNPACKED_MIB="128")
    assert says.startswith("f.parquet: it unpacks to more than 128 MiB and more than 100 times")
    assert most < MEMORY


def test_a_long_parquet_text_is_refused(ingest: Ingest) -> None:
    texts = pa.array(["A", "A" * 131_072, "A" * 131_073])
    pq.write_table(records(3, texts), "f.parquet")
    says = "f.parquet, row 3, column Airline Name: the value is longer than 131,072 bytes."
    assert refusal(ingest, "f.parquet").startswith(says)


def test_parquet_texts_that_build_on_each_other_are_refused(ingest: Ingest) -> None:
    table = records(3, pa.array(["A" * n for n in (1, 2, 3)]))
    for encoding in ("DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"):
        encodings = {"Airline Name": encoding}
        pq.write_table(
            table, f"{encoding}.parquet", use_dictionary=False, column_encoding=encodings
        )
    assert "3 records added" in ingest("DELTA_LENGTH_BYTE_ARRAY.parquet")
    assert refusal(ingest, "DELTA_BYTE_ARRAY.parquet", append=True) == (
        "DELTA_BYTE_ARRAY.parquet, column Airline Name: it uses the encoding"
        " DELTA_BYTE_ARRAY. Write text with a dictionary or with the encoding PLAIN."
    )


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_every_usual_parquet_codec_is_read(ingest: Ingest, codec: str) -> None:
    table = records(3, pa.array(["A", "B", "A"]))
    pq.write_table(table, "f.parquet", compression=codec, data_page_version="2.0")
    assert "3 records added" in ingest("f.parquet")


def test_a_huge_parquet_footer_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "f.parquet").open("wb") as out:
        out.truncate(GIB)
        out.seek(GIB)
        out.write(struct.pack("<L", GIB - 4) + b"PAR1")
    says, most = attempt(tmp_path, tmp_path / "f.parquet")
    assert says == f"f.parquet: its footer has more than {FOOTER >> 20} MiB."
    assert most < MEMORY


def test_damaged_files_are_refused_in_one_line(ingest: Ingest) -> None:
    """For some of them Arrow ends the process when it reads their metadata."""
    choice, refused = random.Random(11), 0  # noqa: S311  # no secret
    Path("f.csv.gz").write_bytes(gzip.compress(RECORDS * 9))
    archive(("f.csv", RECORDS * 9))
    pq.write_table(records(99, pa.array([str(n) for n in range(99)])), "f.parquet")
    whole = {name: Path(name).read_bytes() for name in ("f.csv.gz", "f.zip", "f.parquet")}
    for _ in range(900):
        name = choice.choice(["f.csv.gz", "f.zip", "f.parquet", "f.parquet"])
        Path(name).write_bytes(damaged(choice, whole[name]))
        lines = refused_lines(Path(name))
        assert len(lines) <= 1
        refused += len(lines)
    assert refused > 500


def refused_lines(path: Path) -> list[str]:
    try:
        list(batches(path))
    except BadInput as error:
        return error.full_message.splitlines()
    return []


def damaged(choice: random.Random, content: bytes) -> bytes:
    for _ in range(choice.randint(1, 4)):
        place = choice.randrange(len(content) + 1)
        end = place + choice.choice([0, 1, 1, 1, 9])
        new = choice.choice([b"\0", b"\xff", b"\x80", choice.randbytes(1), choice.randbytes(5)])
        content = content[:place] + new + content[end:]
    return content
