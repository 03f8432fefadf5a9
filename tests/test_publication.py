"""Months are downloaded, ingested, built and published in one job, whose steps are recorded."""

import fcntl
import hashlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import dot_server
from tests.dot_server import DotServer, csv, flight, zipped
from tests.fault_probes import database, waiting
from tests.platform import Platform, until
from tests.platforms import own_platform

STEPS = ["download", "ingest", "build", "transfer"]
REAP = "from transfers import tasks; tasks.reap()"


@pytest.fixture
def dot() -> Iterator[DotServer]:
    with dot_server.running() as server:
        yield server


@pytest.fixture
def platform(dot: DotServer, tmp_path: Path) -> Iterator[Platform]:
    env = {"DOWNLOAD_URL": dot.url, "DOWNLOAD_ATTEMPTS": "1", "JOB_LOST_AFTER": "2"}
    with own_platform(AIRSENSE_HOME=str(tmp_path), **env) as own:
        own.log = tmp_path / "log"
        yield own


def rows(platform: Platform, query: str) -> list[dict[str, Any]]:
    with database(platform) as connection:
        return list(connection.cursor(row_factory=psycopg.rows.dict_row).execute(query))


def jobs(platform: Platform) -> list[dict[str, Any]]:
    return rows(platform, "SELECT * FROM transfers_warehousejob ORDER BY id")


def flights(platform: Platform) -> list[tuple[str, int]]:
    """The published flights of each month."""
    months = rows(
        platform,
        """SELECT to_char("Flight_Date", 'YYYY-MM') AS month, count(*) AS flights"""
        " FROM flight_delay_data GROUP BY 1 ORDER BY 1",
    )
    return [(row["month"], row["flights"]) for row in months]


def notes(platform: Platform) -> list[list[str]]:
    """What each transfer of the flights notes about releases, oldest transfer first."""
    transfers = rows(
        platform,
        "SELECT notes FROM transfers_transfer WHERE \"table\" = 'flight_delay_data'"
        " AND status = 'succeeded' ORDER BY id",
    )
    return [[note for note in row["notes"] if ": release " in note] for row in transfers]


@pytest.mark.deep
def test_another_release_replaces_only_its_month_and_the_version_says_so(
    platform: Platform, dot: DotServer
) -> None:
    january = dot.publish(2024, 1, flights=3)
    dot.publish(2024, 2, flights=4)
    printed = platform.manage("download", "--publish", "2024-01..2024-02")
    assert "download: 2024-01: downloaded" in printed
    assert "transfer: flight_delay_data/1: 7 rows" in printed
    assert flights(platform) == [("2024-01", 3), ("2024-02", 4)]
    (job,) = jobs(platform)
    assert (job["status"], [step["name"] for step in job["steps"]]) == ("succeeded", STEPS)
    times = [step[when] for step in job["steps"] for when in ("started_at", "ended_at")]
    assert times == sorted(times)
    first = rows(platform, "SELECT * FROM transfers_downloadedmonth ORDER BY id")

    dot.publish(2024, 1, flights=5)
    platform.manage("download", "--publish", "2024-01..2024-02")
    assert flights(platform) == [("2024-01", 5), ("2024-02", 4)]
    newest = rows(platform, "SELECT * FROM transfers_downloadedmonth ORDER BY id")[-1]
    assert [note.partition(", downloaded")[0] for note in notes(platform)[0]] == [
        f"2024-01: release {first[0]['digest'][:12]}",
        f"2024-02: release {first[1]['digest'][:12]}",
    ]
    (replaced,) = notes(platform)[1]
    assert replaced.startswith(f"2024-01: release {newest['digest'][:12]}, downloaded 20")
    assert replaced.endswith(f"UTC in place of {first[0]['digest'][:12]}")
    assert [r["published_in"] for r in (*first, newest)] == [
        *["flight_delay_data/1"] * 2,
        "flight_delay_data/2",
    ]

    printed = platform.manage("download", "--publish", "2024-01..2024-02")
    assert "flight_delay_data: unchanged in the warehouse" in printed
    assert len(notes(platform)) == 2

    dot.files[2024, 1] = january
    platform.manage("download", "--publish", "2024-01")
    assert flights(platform) == [("2024-01", 3), ("2024-02", 4)]
    assert f"in place of {newest['digest'][:12]}" in notes(platform)[2][0]


@pytest.mark.deep
def test_a_step_that_fails_alerts_and_leaves_the_published_tables_as_they_were(
    platform: Platform, dot: DotServer
) -> None:
    dot.publish(2024, 1)
    platform.manage("download", "--publish", "2024-01")
    dot.files[2024, 2] = zipped(csv(2024, 2) + flight(2024, 2, ArrDelay="late"))
    dot.files[2024, 3] = b"<html>Down for maintenance</html>"
    for months, step, says in (
        ("2024-02", "ingest", "line 5"),
        ("2024-03", "download", "is not a zip file but text/html"),
        ("2024-04", "download", "2024-04 is not published yet"),
    ):
        done = platform.attempt("download", "--publish", months)
        assert (done.returncode, says in done.stderr) == (1, True), done.stderr
        job = jobs(platform)[-1]
        assert (job["status"], job["steps"][-1]["name"]) == ("failed", step)
        assert "ended_at" not in job["steps"][-1]
        assert flights(platform) == [("2024-01", 3)]
    select = 'SELECT about, "table", kind, ended_at FROM transfers_alert ORDER BY id'
    (alert,) = rows(platform, select)
    assert (alert["about"], alert["table"], alert["kind"]) == ("job", "publication", "failed")
    dot.publish(2024, 2)
    platform.manage("download", "--publish", "2024-02")
    assert [alert["kind"] for alert in rows(platform, select)] == ["failed", "recovered"]
    assert flights(platform) == [("2024-01", 3), ("2024-02", 3)]


def test_a_release_that_is_downloaded_during_the_job_is_not_reported_as_published(
    platform: Platform, dot: DotServer
) -> None:
    dot.publish(2024, 1)
    with database(platform) as connection:
        connection.execute(
            "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER hold BEFORE UPDATE ON transfers_warehousejob FOR EACH ROW"
            """ WHEN (NEW.steps::text LIKE '%"build"%') EXECUTE FUNCTION hold()"""
        )
        connection.execute("SELECT pg_advisory_lock(1)")
        with platform.running("download", "--publish", "2024-01") as command:
            until(lambda: waiting(platform))
            dot.publish(2024, 1, flights=4)
            platform.manage("download", "2024-01")
            connection.execute("SELECT pg_advisory_unlock(1)")
            assert command.wait(60) == 0
    stored = rows(platform, "SELECT * FROM transfers_downloadedmonth ORDER BY id")
    assert [release["published_in"] for release in stored] == ["flight_delay_data/1", ""]
    assert flights(platform) == [("2024-01", 3)]


def test_a_job_whose_worker_was_killed_continues_with_the_step_that_had_not_ended(
    platform: Platform, dot: DotServer
) -> None:
    dot.publish(2024, 1)
    dot.held.clear()
    start = "from transfers import tasks; tasks.start_job('publish', 'me', arguments=['2024-01'])"
    platform.python(start)
    with platform.running("worker") as worker:
        months = Path(platform.env["AIRSENSE_HOME"]) / "months"
        until(lambda: any(part.stat().st_size for part in months.glob("*.part")))
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    dot.held.set()
    lock = platform.warehouse / "writer.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with platform.running("worker"), lock.open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        until(lambda: platform.python(REAP) or jobs(platform)[0]["attempt"] == 2)
        until(lambda: "being changed by another process" in jobs(platform)[0]["error"])
        assert [s["name"] for s in jobs(platform)[0]["steps"]] == ["download", "ingest"]
        requests = len(dot.requests)
        fcntl.flock(busy, fcntl.LOCK_UN)
        platform.python(REAP)
        until(lambda: jobs(platform)[0]["status"] == "succeeded")
    assert dot.sent[:requests] == [200, 206]
    assert len(dot.requests) == requests
    assert flights(platform) == [("2024-01", 3)]


@pytest.mark.deep  # tests.test_terminal has the bars, and the test before the steps of a job
def test_a_terminal_shows_bars_with_amount_and_rate_of_each_step(
    platform: Platform, dot: DotServer
) -> None:
    dot.publish(2024, 1, flights=20_000)
    dot.held.clear()
    watched = Platform({**platform.env, "FORCE_COLOR": "1", "COLUMNS": "200"}, log=platform.log)

    def is_displayed(pattern: str) -> bool:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", platform.log.read_text())
        return bool(re.search(pattern, plain))

    with watched.running("download", "--publish", "2024-01") as process:
        until(lambda: is_displayed(r"download 2024-01 +\S+ 0\.\d of 0\.\d MiB"), seconds=60)
        running = jobs(platform)[0]["progress"]
        assert (running["name"], running["unit"]) == ("download 2024-01", "MiB")
        assert 0 < running["done"] < running["total"]
        dot.held.set()
        assert process.wait(90) == 0
    assert is_displayed(r"transfer flight_delay_data +\S+ 20,000 of 20,000 rows")
    assert is_displayed(r"transfer \w+ .* rows/s +\d:\d\d:\d\d")
    assert jobs(platform)[0]["progress"] is None


def test_schedules_publish_new_months_ingest_folders_and_build_tables_once_at_a_time(
    platform: Platform, dot: DotServer
) -> None:
    newest = dot_server.recent_month()
    dot.publish(*newest)
    inbox = Path(platform.env["AIRSENSE_HOME"]) / "inbox" / "mine"
    inbox.mkdir(parents=True)
    (inbox / "one.zip").write_bytes(zipped(csv(2023, 5)))
    pattern = ["m*/o*.zip", "--replace-months", "--repeated", "drop"]
    send = (
        "from celery import current_app\n"
        "for task, args in (('publish_months', []), ('publish_months', []),"
        " ('ingest_folder', ['mine', 'months']), ('build_tables', []), ('ingest_folder', ['no']),"
        f" ('ingest_folder', {pattern})):"
        " current_app.send_task(f'transfers.tasks.{task}', args,"
        " headers={'periodic_task_name': 'nightly'})"
    )
    platform.python(send)
    with platform.running("worker", "--concurrency=1"):
        until(lambda: len(jobs(platform)) >= 5, seconds=60)
        until(lambda: all(job["finished_at"] for job in jobs(platform)), seconds=60)
    by_name = {(job["kind"], job["name"]): job for job in jobs(platform)}
    assert {job["asked_by"] for job in jobs(platform)} == {"schedule: nightly"}
    assert [key for key, job in by_name.items() if job["status"] == "failed"] == [("append", "no")]
    assert by_name["append", "no"]["error"].endswith("inbox/no: there is no such file or folder.")
    assert "one.zip: 3 records added" in by_name["months", "mine, months"]["outcome"]
    by_pattern = by_name["months", ", ".join(pattern)]
    assert by_pattern["outcome"] == "one.zip: 3 records were there already"
    assert flights(platform)[-1] == ("{}-{:02}".format(*newest), 3)


def test_a_release_that_is_ingested_by_hand_is_noted_in_the_version(
    fresh: Platform, tmp_path: Path
) -> None:
    def publish(name: str, content: bytes) -> list[str]:
        """Publish a file's months; returns what the transfer notes."""
        file = tmp_path / name
        file.write_bytes(content)
        digests.append(hashlib.sha256(content).hexdigest()[:12])
        fresh.manage("ingest", "--replace-months", str(file))
        fresh.manage("broker")
        fresh.manage("transfer", "flight_delay_data", "--despite-checks", "test")
        transfers = rows(fresh, "SELECT notes FROM transfers_transfer ORDER BY id DESC")
        return [note for note in transfers[0]["notes"] if ", release " in note]

    digests = list[str]()
    (january,) = publish("january.zip", zipped(csv(2024, 1)))
    assert january.startswith(f"2024-01: january.zip, release {digests[0]}, ingested 20")
    (february,) = publish("february.zip", zipped(csv(2024, 2)))
    assert february.startswith("2024-02: february.zip, ")
    (again,) = publish("again.zip", zipped(csv(2024, 1, flights=5)))
    assert again.startswith(f"2024-01: again.zip, release {digests[2]}, ingested ")
    assert again.endswith(f" in place of {digests[0]}")
    assert flights(fresh) == [("2024-01", 5), ("2024-02", 3)]
    page = fresh.python(
        "from transfers.warehouse_jobs import releases; from flights.models import TableVersion;"
        "print(releases.ingested(TableVersion.objects.get(published__table='flight_delay_data')))"
    )
    assert again in page
