"""A full or read-only warehouse disk is reported in one line."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.platform import Platform
from tests.small_disk import mounted
from tests.test_ingest import HEADER, ROW, Ingest, ingest, raw, refusal, warehouse, write
from tests.warehouse.running import running
from transfers.exceptions import WarehouseError
from transfers.ingest.raw_table import RAW
from transfers.warehouses import connect

__all__ = ["ingest", "warehouse"]  # fixtures


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A separate file system of 4 MB."""
    with mounted(tmp_path / "disk", 4 << 20) as folder:
        yield folder


def test_a_full_disk_keeps_the_warehouse_as_it_was(
    ingest: Ingest, settings: Settings, disk: Path
) -> None:
    settings.WAREHOUSE_URL = f"duckdb://{disk}/warehouse"
    ingest(write("a.csv", ROW))
    write("b.csv", *[f"2013-01-07,{n * 7919} {n * 104729},X{n},Y,1,2" for n in range(200_000)])
    assert "No space left on device" in refusal(ingest, "b.csv", append=True)
    assert len(raw(connect(settings.WAREHOUSE_URL))) == 1
    (disk / "filler").write_bytes(b"x" * ((os.statvfs(disk).f_bavail - 1) * 4096))
    says = f"The warehouse's folder {disk}/warehouse cannot be used: No space left on device."
    assert refusal(ingest, write("c.csv", ROW, ROW), append=True).startswith(says)
    (disk / "filler").unlink()
    assert "2 records added" in ingest("c.csv", append=True)


def test_a_disk_that_may_not_be_written_is_named(
    ingest: Ingest, settings: Settings, disk: Path
) -> None:
    settings.WAREHOUSE_URL = f"duckdb://{disk}/warehouse"
    ingest(write("a.csv", ROW))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    says = f"The warehouse's folder {disk}/warehouse cannot be used: Read-only file system."
    assert refusal(ingest, write("b.csv", ROW, ROW), append=True).startswith(says)
    with pytest.raises(WarehouseError, match="Read-only file system"):
        connect(settings.WAREHOUSE_URL).version(RAW)


def test_a_folder_that_cannot_be_made_is_named(
    ingest: Ingest, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}/file/warehouse"
    says = f"The warehouse's folder {tmp_path}/file/warehouse cannot be used: Not a directory."
    assert refusal(ingest, write("a.csv", ROW)).startswith(says)


def test_a_full_disk_of_a_worker_is_named_where_records_are_staged(
    tmp_path: Path, disk: Path
) -> None:
    file, log = tmp_path / "f.csv", tmp_path / "log"
    lines = [f"2013-01-07,{n * 7919} {n * 104729},X{n},Y,1,2" for n in range(300_000)]
    file.write_text("\n".join([HEADER, *lines]))
    with running(tmp_path / "warehouse") as server:
        own = Platform({**server.env, "TMPDIR": str(disk)}, log=log)
        with own.running("ingest", str(file)) as process:
            assert process.wait(60) == 1
    *_, line = log.read_text().splitlines()  # after the report on the columns
    assert line.startswith(f"CommandError: Records cannot be written to {disk}/")
    assert "No space left on device. Free disk space there" in line
