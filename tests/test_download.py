"""Months are downloaded whole and checked, each release once, whatever the server does."""

import hashlib
import os
import signal
import struct
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests import dot_server
from tests.dot_server import HEADER, DotServer, csv, flight, zipped
from tests.fault_probes import database
from tests.platform import Platform, until
from tests.platforms import own_platform
from tests.small_disk import mounted
from transfers.download import monthly_zip, months
from transfers.download.months import Month
from transfers.exceptions import BadDownload, BadMonths


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("home")
    with own_platform(AIRSENSE_HOME=str(home), DOWNLOAD_TIMEOUT="20") as own:
        yield own


@pytest.fixture
def dot(platform: Platform) -> Iterator[DotServer]:
    with dot_server.running() as server:
        platform.env["DOWNLOAD_URL"] = server.url
        yield server


def folder(platform: Platform) -> Path:
    return Path(platform.env["AIRSENSE_HOME"]) / "months"


def stored(platform: Platform, month: str) -> list[dict[str, Any]]:
    """The releases of a month, oldest first."""
    with database(platform) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        select = "SELECT * FROM transfers_downloadedmonth WHERE month = %s ORDER BY id"
        return list(cursor.execute(select, [f"{month}-01"]))


def refused(platform: Platform, *arguments: str) -> str:
    """The message of a command that must fail, without a traceback."""
    done = platform.attempt("download", *arguments)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def parts(platform: Platform) -> list[Path]:
    return list(folder(platform).glob("*.part"))


def test_months_are_stored_by_digest_and_fetched_again_only_if_they_changed(
    platform: Platform, dot: DotServer
) -> None:
    content = [dot.publish(2001, month) for month in (1, 2)]
    assert "2001-02: 3 rows" in platform.manage("download", "2001-01..2001-02")
    releases = [stored(platform, month)[0] for month in ("2001-01", "2001-02")]
    assert [r["digest"] for r in releases] == [hashlib.sha256(c).hexdigest() for c in content]
    assert [(r["rows"], r["bytes"]) for r in releases] == [(3, len(c)) for c in content]
    files = [folder(platform) / f"{release['digest']}.zip" for release in releases]
    assert [file.read_bytes() for file in files] == content
    assert "2001-01: 3 rows, 0.0 MiB, unchanged" in platform.manage("download", "2001-01")
    assert dot.sent == [200, 200, 304]
    assert "unchanged" in platform.manage("download", "2001-01", "--force")
    files[0].unlink()
    assert "unchanged" in platform.manage("download", "2001-01")
    assert (dot.sent[3:], files[0].read_bytes()) == ([200, 200], content[0])
    newer = dot.publish(2001, 1, flights=4)
    assert "2001-01: 4 rows" in platform.manage("download", "2001-01")
    first, second = stored(platform, "2001-01")
    assert (first["digest"], second["digest"]) == (
        releases[0]["digest"],
        hashlib.sha256(newer).hexdigest(),
    )
    assert files[0].exists()


def test_a_month_that_is_not_published_fails_by_name_but_not_when_new_months_are_looked_for(
    platform: Platform, dot: DotServer
) -> None:
    dot.publish(2002, 1)
    message = refused(platform, "2002-01..2002-02")
    assert "2002-02 is not published yet" in message
    assert "about two months after its end" in message
    assert len(stored(platform, "2002-01")) == 1
    newest = months.recent()[-3]
    dot.publish(newest.year, newest.month)
    assert platform.manage("download").startswith(f"{newest}: 3 rows")
    assert dot.sent.count(404) == 1 + months.RECENT


def test_a_download_that_breaks_off_is_continued_and_one_without_ranges_begins_again(
    platform: Platform, dot: DotServer
) -> None:
    content = dot.publish(2003, 1, flights=300)
    dot.cuts = [1000, 500]
    platform.manage("download", "2003-01")
    assert dot.sent == [200, 206, 206]
    assert [request.get("Range") for request in dot.requests] == [
        None,
        "bytes=1000-",
        "bytes=1500-",
    ]
    assert stored(platform, "2003-01")[0]["digest"] == hashlib.sha256(content).hexdigest()
    content = dot.publish(2003, 2, flights=300)
    dot.cuts, dot.ignores_ranges = [1000], True
    platform.manage("download", "2003-02")
    assert dot.sent[3:] == [200, 200]
    assert stored(platform, "2003-02")[0]["digest"] == hashlib.sha256(content).hexdigest()
    assert parts(platform) == []


def test_a_part_is_not_continued_with_another_release_nor_without_a_validator(
    platform: Platform, dot: DotServer
) -> None:
    platform.env["DOWNLOAD_ATTEMPTS"] = "1"
    dot.publish(2003, 3, flights=300)
    dot.cuts = [1000]
    message = refused(platform, "2003-03")
    assert "ended after 1,000 of" in message or "IncompleteRead(1000 bytes read" in message
    assert [part.stat().st_size for part in parts(platform)] == [1000]
    dot.publish(2003, 3, flights=400)
    platform.manage("download", "2003-03")
    assert (dot.sent, stored(platform, "2003-03")[0]["rows"]) == ([200, 200], 400)
    dot.publish(2003, 4, flights=300)
    dot.cuts, dot.has_validators = [1000], False
    refused(platform, "2003-04")
    platform.manage("download", "2003-04")
    assert "Range" not in dot.requests[-1]
    del platform.env["DOWNLOAD_ATTEMPTS"]


def test_a_download_whose_process_was_killed_is_continued(
    platform: Platform, dot: DotServer
) -> None:
    content = dot.publish(2004, 1, flights=300)
    dot.held.clear()
    with platform.running("download", "2004-01") as process:
        until(lambda: any(part.stat().st_size for part in parts(platform)))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    dot.held.set()
    assert stored(platform, "2004-01") == []
    (part,) = parts(platform)
    assert content.startswith(part.read_bytes())
    platform.manage("download", "2004-01")
    assert dot.sent == [200, 206]
    assert (stored(platform, "2004-01")[0]["rows"], parts(platform)) == (300, [])


def test_a_complete_part_of_a_killed_process_is_stored_without_another_download(
    platform: Platform, dot: DotServer
) -> None:
    content = dot.publish(2004, 2)
    platform.manage("download", "2004-02")
    (release,) = stored(platform, "2004-02")
    part = folder(platform) / f"2004-02.{quote(release['validator'], safe='')}.part"
    (folder(platform) / f"{release['digest']}.zip").rename(part)
    assert "unchanged" in platform.manage("download", "2004-02")
    assert dot.sent == [200, 416]
    assert (folder(platform) / f"{release['digest']}.zip").read_bytes() == content


def test_errors_of_the_server_are_retried_and_then_reported(
    platform: Platform, dot: DotServer
) -> None:
    dot.publish(2005, 1)
    dot.statuses = [503]
    platform.manage("download", "2005-01")
    assert dot.sent == [503, 200]
    platform.env["DOWNLOAD_ATTEMPTS"] = "2"
    dot.statuses = [500, 502]
    message = refused(platform, "2005-02")
    assert "2005_2.zip was not downloaded in 2 attempts: the server responds 502." in message
    dot.statuses = [403]
    assert "the server responds 403. Check DOWNLOAD_URL." in refused(platform, "2005-02")
    platform.env["DOWNLOAD_URL"] = "http://127.0.0.1:9/{year}_{month}"
    assert "ConnectionError" in refused(platform, "2005-02")
    del platform.env["DOWNLOAD_ATTEMPTS"]


def test_two_downloads_at_once_store_one_file(platform: Platform, dot: DotServer) -> None:
    dot.publish(2006, 1)
    dot.held.clear()
    with platform.running("download", "2006-01") as first:
        until(lambda: dot.sent == [200])
        with platform.running("download", "2006-01") as second:
            dot.held.set()
            assert (first.wait(30), second.wait(30)) == (0, 0)
    assert dot.sent == [200, 304]
    assert len(stored(platform, "2006-01")) == 1


@pytest.fixture
def full_disk(platform: Platform) -> Iterator[None]:
    """The folder of the months is a file system of 64 KiB."""
    with mounted(folder(platform), 1 << 16):
        yield


def test_a_file_that_does_not_fit_on_the_disk_is_refused_before_it_is_received(
    platform: Platform, dot: DotServer, full_disk: None
) -> None:
    dot.files[2008, 1] = b"PK" + os.urandom(100_000)
    message = refused(platform, "2008-01")
    assert "The file needs 100,002 bytes, but" in message
    assert "Free disk space" in message


def test_a_page_a_huge_file_and_wrong_contents_are_refused_and_leave_nothing(
    platform: Platform, dot: DotServer
) -> None:
    dot.files[2007, 1] = b"<html><title>Down for maintenance</title></html>"
    message = refused(platform, "2007-01")
    assert "2007_1.zip is not a zip file but text/html" in message
    assert "Down for maintenance" in message
    dot.files[2007, 2] = zipped(csv(2007, 1))
    assert "which is not in 2007-02" in refused(platform, "2007-02")
    dot.files[2007, 3] = b"PK" + bytes(2 << 20)
    platform.env["DOWNLOAD_LIMIT_MIB"] = "1"
    assert "has more than 1 MiB. Raise DOWNLOAD_LIMIT_MIB." in refused(platform, "2007-03")
    del platform.env["DOWNLOAD_LIMIT_MIB"]
    assert [stored(platform, f"2007-0{month}") for month in (1, 2, 3)] == [[], [], []]
    assert [part for part in parts(platform) if part.stat().st_size] == []


def test_no_other_thread_reads_a_file_that_is_checked(tmp_path: Path) -> None:
    """A process that ends while another thread still reads may crash."""
    (tmp_path / "2024-01.zip").write_bytes(zipped(csv(2024, 1)))
    with _threads_of(zipfile.ZipExtFile.read.__code__) as threads:
        assert monthly_zip.check(tmp_path / "2024-01.zip", Month(2024, 1)) == 3
    assert threads == {threading.get_ident()}


@contextmanager
def _threads_of(code: CodeType) -> Iterator[set[int]]:
    """Collect the threads that run a function during the block."""
    threads, observe, start = set[int](), sys.monitoring, sys.monitoring.events.PY_START
    observe.use_tool_id(observe.PROFILER_ID, "threads")
    observe.register_callback(
        observe.PROFILER_ID, start, lambda *_: threads.add(threading.get_ident())
    )
    observe.set_local_events(observe.PROFILER_ID, code, start)
    try:
        yield threads
    finally:
        observe.set_local_events(observe.PROFILER_ID, code, observe.events.NO_EVENTS)
        observe.free_tool_id(observe.PROFILER_ID)


WHOLE = csv(2024, 1)
LISTED = 9 << 20  # bytes of the list of its members
MANY_MEMBERS = bytes(LISTED) + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, LISTED, 0, 0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(WHOLE)[:-30], "is damaged: File is not a zip file"),
        (zipped(""), "is empty"),
        (zipped(HEADER), "has no rows"),
        (zipped("a,b\n1,2\n"), "no columns Year, Month and FlightDate"),
        (zipped(WHOLE.rstrip("\n")), "its last line has no end"),
        (zipped(WHOLE + "2024,1,1\n"), "Expected 110 columns, got 3"),
        (zipped(WHOLE[:-20]), "Expected 110 columns, got"),
        (zipped(WHOLE, more__csv="x"), "more.csv, not one CSV file and a readme"),
        (zipped(WHOLE, setup__exe="x"), "setup.exe, not one CSV file and a readme"),
        (zipped(WHOLE, zipfile.ZIP_BZIP2), ".csv uses compression method 12."),
        (zipped(WHOLE, zipfile.ZIP_LZMA), ".csv uses compression method 14."),
        (MANY_MEMBERS, "its list of members has more than 8 MiB"),
        (zipped(WHOLE + flight(2024, 2)), "row 4: Month is '2', which is not in 2024-01"),
        (zipped(WHOLE + flight(2023, 1)), "row 4: Year is '2023', which is not in 2024-01"),
        (
            zipped(WHOLE + flight(2024, 1, FlightDate="2024-02-01")),
            "row 4: FlightDate is '2024-02-01', which is not in 2024-01",
        ),
        (zipped(WHOLE + flight(2024, 1, FlightDate="")), "row 4: FlightDate is '', which"),
    ],
)
def test_a_file_that_is_damaged_or_of_another_month_is_refused(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "month.zip"
    file.write_bytes(content)
    with pytest.raises(BadDownload) as refusal:
        monthly_zip.check(file, Month(2024, 1))
    assert says in str(refusal.value)
    assert "2024-01" in str(refusal.value)


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    file, content = tmp_path / "month.zip", bytearray(zipped(csv(2024, 1, flights=2000)))
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    with pytest.raises(BadDownload, match="is damaged"):
        monthly_zip.check(file, Month(2024, 1))


def test_a_month_of_many_rows_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "month.zip"
    file.write_bytes(zipped(csv(2024, 1, flights=20_000)))
    assert monthly_zip.check(file, Month(2024, 1)) == 20_000


def test_months_are_named_one_by_one_or_as_ranges() -> None:
    names = [str(month) for month in months.parse(["2023-11..2024-02", "2024-01", "1987-10"])]
    assert names == ["1987-10", "2023-11", "2023-12", "2024-01", "2024-02"]
    assert Month(2024, 1).before(12) == Month(2023, 1)
    assert Month(2024, 1).url.endswith("_2024_1.zip")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2024", "'2024' is not a month. Use 2024-01 or 2024-01..2024-12."),
        ("2024-13", "is not a month"),
        ("2024-1", "is not a month"),
        ("2024-01..", "'' is not a month"),
        ("2024-02..2024-01", "ends before it begins. Use 2024-01..2024-02."),
        ("1987-09", "There are no records of 1987-09. The DOT's records begin with 1987-10"),
        ("2999-01", "There are no records of 2999-01."),
    ],
)
def test_a_text_that_names_no_month_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadMonths) as refusal:
        months.parse([text])
    assert says in refusal.value.full_message


@pytest.mark.parametrize(
    "url", ["ftp://host/{year}_{month}", "https://host/{year}.zip", "https://host/{yaer}_{month}"]
)
def test_an_address_that_names_no_month_is_refused_at_the_start(
    platform: Platform, url: str
) -> None:
    done = Platform({**platform.env, "DOWNLOAD_URL": url}).attempt("download", "2024-01")
    assert done.returncode == 1
    assert "DOWNLOAD_URL is not of the form" in done.stderr
