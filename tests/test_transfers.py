"""Transfers through their service, command and worker."""

import os
import re
import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from django.conf import settings
from django.db import InterfaceError, connection, transaction
from django.utils import timezone

from flights import claims, versions
from flights.tables import TABLES, by_name
from tests.platform import Platform, Site, until
from transfers import services, warehouses
from transfers.exceptions import AlreadyRunning, VerificationFailed, WarehouseBusy
from transfers.models import Transfer
from transfers.run import results, runner
from transfers.run.progress import Progress
from transfers.warehouses import Snapshot, Warehouse

type Row = dict[str, Any]
type Fault = Callable[[list[Row]], list[Row]]

DAYS, AIRLINES = by_name("delays_by_day"), by_name("airline_performance")
FLIGHTS = "2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,-5,"
MORE_FLIGHTS = FLIGHTS + "\n2013-01-09,Gamma,C,A,7,7"
# CREATE INDEX waits for a lock; the first cancel only ends its wait.
HOLD = (
    "SELECT pg_advisory_lock(1)",
    "CREATE SEQUENCE cancels",
    "CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
    " PERFORM pg_advisory_xact_lock(1);"
    " EXCEPTION WHEN query_canceled THEN IF nextval('cancels') > 1 THEN RAISE; END IF;"
    " END $$",
    "CREATE EVENT TRIGGER hold ON ddl_command_start WHEN TAG IN ('CREATE INDEX')"
    " EXECUTE FUNCTION hold()",
)


class Faulty:
    """A warehouse that returns faulty rows."""

    def __init__(self, fault: Fault) -> None:
        self.warehouse: Warehouse = warehouses.connect(settings.WAREHOUSE_URL)
        self.fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self.warehouse, name)

    @contextmanager
    def snapshot(self, table: str, *json: Any, **options: Any) -> Iterator[Any]:
        with self.warehouse.snapshot(table, *json, **options) as snapshot:
            yield FaultySnapshot(snapshot, self.fault)


class FaultySnapshot:
    def __init__(self, snapshot: Snapshot, fault: Fault) -> None:
        self.snapshot, self.fault = snapshot, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self.snapshot, name)

    def batches(
        self, columns: Sequence[str], order: Sequence[str], after: tuple[str, Any] | None = None
    ) -> Iterator[pa.RecordBatch]:
        table = pa.Table.from_batches(self.snapshot.batches(columns, order, after))
        yield from pa.Table.from_pylist(self.fault(table.to_pylist()), table.schema).to_batches()


def a_value_changed(rows: list[Row]) -> list[Row]:
    return [rows[0] | {"Total_Flights": rows[0]["Total_Flights"] + 1}, *rows[1:]]


def a_float_changed_a_little(rows: list[Row]) -> list[Row]:
    return [rows[0] | {"Avg_Arrival_Delay": rows[0]["Avg_Arrival_Delay"] + 1e-9}, *rows[1:]]


def two_values_swapped(rows: list[Row]) -> list[Row]:
    name, one, other = "Avg_Arrival_Delay", rows[0], rows[1]
    return [one | {name: other[name]}, other | {name: one[name]}, *rows[2:]]


def a_row_dropped(rows: list[Row]) -> list[Row]:
    return rows[1:]


def a_row_repeated(rows: list[Row]) -> list[Row]:
    return [*rows, rows[0]]


def a_row_in_place_of_another(rows: list[Row]) -> list[Row]:
    return [rows[0], *rows[:1], *rows[2:]]


FAULTS = [
    a_value_changed,
    a_float_changed_a_little,
    two_values_swapped,
    a_row_dropped,
    a_row_repeated,
    a_row_in_place_of_another,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_rows_that_change_during_a_transfer_are_refused(demo: Platform, fault: Fault) -> None:
    before = _state("delays_by_day")
    (transfer,) = services.queue([DAYS], "test", forced=True)
    with pytest.raises(VerificationFailed):
        runner.run([transfer], Faulty(fault))
    assert _state("delays_by_day") == before
    transfer.refresh_from_db()
    assert transfer.status == Transfer.Status.FAILED
    assert "differs from its source" in transfer.error


def test_a_failed_table_stops_the_other_tables_of_its_run_from_being_published(
    demo: Platform,
) -> None:
    def fault(rows: list[Row]) -> list[Row]:
        return rows[1:] if "Day_of_Week" in rows[0] else rows

    before = _state("airline_performance"), _state("delays_by_day")
    transfers = services.queue([AIRLINES, DAYS], "test", forced=True)
    with pytest.raises(VerificationFailed):
        runner.run(transfers, Faulty(fault))
    assert (_state("airline_performance"), _state("delays_by_day")) == before
    ended = Transfer.objects.filter(pk__in=[t.pk for t in transfers])
    assert {t.status for t in ended} == {Transfer.Status.FAILED}


def test_temporary_errors_are_retried_and_permanent_ones_are_not(demo: Platform) -> None:
    def away(rows: list[Row]) -> list[Row]:
        raise WarehouseBusy("The warehouse does not answer.")

    transfers = services.queue([AIRLINES, DAYS], "test", forced=True)
    with pytest.raises(WarehouseBusy):
        runner.run(transfers, Faulty(away), attempts=2)
    waiting = Transfer.objects.filter(pk__in=[t.pk for t in transfers]).order_by("pk")
    assert {(t.status, t.attempt) for t in waiting} == {("queued", 2)}
    assert waiting[0].error == "The warehouse does not answer."
    with pytest.raises(WarehouseBusy):
        runner.run(waiting, Faulty(away), attempts=2)
    assert {t.status for t in waiting.all()} == {"failed"}

    transfers = services.queue([DAYS], "test", forced=True)
    with pytest.raises(VerificationFailed):
        runner.run(transfers, Faulty(a_row_dropped), attempts=2)
    assert Transfer.objects.get(pk=transfers[0].pk).status == "failed"


def test_a_run_that_is_queued_again_is_not_reported_as_lost(demo: Platform) -> None:
    (transfer,) = services.queue([DAYS], "test", forced=True)
    heartbeats = list[bool]()
    assert claims.claim(transfer)
    with Progress([transfer]) as progress:
        progress.condition = lambda: heartbeats.append(True)
        results.queue_again([transfer], transfer, WarehouseBusy("The warehouse does not answer."))
        before = len(heartbeats)
        until(lambda: len(heartbeats) >= before + 2)  # one may have begun before
        progress.check()
    runner.run([transfer])


def test_a_run_for_which_another_one_waits_fails_by_its_own_error(demo: Platform) -> None:
    def away(rows: list[Row]) -> list[Row]:
        with ThreadPoolExecutor() as other:
            other.submit(behind).result()
        raise WarehouseBusy("The warehouse does not answer.")

    def behind() -> None:
        with closing(connection):
            services.queue([DAYS], "behind", forced=True)

    transfers = services.queue([AIRLINES, DAYS], "test", forced=True)
    with pytest.raises(WarehouseBusy):
        runner.run(transfers, Faulty(away), attempts=2)
    ended = Transfer.objects.filter(pk__in=[t.pk for t in transfers]).order_by("pk")
    assert {(t.status, t.attempt) for t in ended} == {("failed", 1)}
    assert ended[0].error == "The warehouse does not answer."
    waiting = Transfer.objects.filter(asked_by="behind", status=Transfer.Status.QUEUED)
    runner.run(list(waiting))
    assert not Transfer.objects.filter(status__in=Transfer.ACTIVE).exists()


def test_a_transfer_requested_long_ago_is_retried_and_waits_for_others(demo: Platform) -> None:
    def away(rows: list[Row]) -> list[Row]:
        raise WarehouseBusy("The warehouse does not answer.")

    def long_ago() -> Transfer:
        (transfer,) = services.queue([DAYS], "test", forced=True)
        before = timezone.now() - 2 * services.QUEUED_AT_MOST
        Transfer.objects.filter(pk=transfer.pk).update(asked_at=before)
        return transfer

    retried = long_ago()
    with pytest.raises(WarehouseBusy):
        runner.run([retried], Faulty(away), attempts=2)
    services.reap()
    runner.run([retried])
    retried.refresh_from_db()
    assert (retried.status, retried.attempt) == ("succeeded", 2)

    alive = {"status": "running", "heartbeat_at": "2100-01-01T00Z", "claim": uuid.uuid4()}
    ahead = Transfer.objects.create(table="delays_by_day", asked_by="somebody", **alive)
    behind = long_ago()
    with pytest.raises(AlreadyRunning):
        runner.run([behind])
    services.reap()
    services.cancel(ahead, by="test")
    services.reap()
    runner.run([behind])
    assert Transfer.objects.get(pk=behind.pk).status == "succeeded"


def test_a_repeated_request_returns_transfers_that_others_had_queued(demo: Platform) -> None:
    (queued,) = services.queue([DAYS], "schedule")
    first = services.queue([DAYS, AIRLINES], "a client", key="monday")
    assert first[0] == queued
    runner.run(first)
    again = services.queue([DAYS, AIRLINES], "a client", key="monday")
    assert {t.pk for t in again} == {t.pk for t in first}
    (another,) = services.queue([DAYS], "another client", key="monday")
    assert another.pk not in {t.pk for t in first}
    services.cancel(another, by="test")


def test_heartbeats_go_on_after_a_failed_one() -> None:
    beats = list[None]()

    def beat() -> None:
        beats.append(None)
        if len(beats) == 1:
            raise InterfaceError("the connection is closed")

    with claims.Heartbeat(beat):
        until(lambda: len(beats) > 1)


def test_runs_that_take_the_same_transfers_in_another_order_do_not_deadlock(demo: Platform) -> None:
    def run(transfers: list[Transfer]) -> None:
        with closing(connection):
            runner.run(transfers)

    queued = services.queue([AIRLINES, by_name("airports"), DAYS], "test")
    with ThreadPoolExecutor() as workers:
        with transaction.atomic():
            Transfer.objects.select_for_update().get(pk=queued[1].pk)
            runs = [workers.submit(run, order) for order in (queued, queued[::-1])]
            until(lambda: _waits(2))
        for future in runs:
            future.result()
    ended = Transfer.objects.filter(pk__in=[t.pk for t in queued])
    assert {t.status for t in ended} == {"unchanged"}


def test_forcing_a_transfer_that_was_just_claimed_queues_another_one(
    demo: Platform,
) -> None:
    def force() -> list[Transfer]:
        with closing(connection):
            return services.queue([DAYS], "another person", forced=True)

    (queued,) = services.queue([DAYS], "test")
    with ThreadPoolExecutor() as other:
        with transaction.atomic():
            Transfer.objects.filter(pk=queued.pk).update(status=Transfer.Status.RUNNING)
            forced = other.submit(force)
            until(lambda: _waits(1))
        (behind,) = forced.result()
    assert behind.pk != queued.pk
    Transfer.objects.filter(pk=queued.pk).update(status=Transfer.Status.FAILED)
    runner.run([behind])
    assert Transfer.objects.get(pk=behind.pk).status == "succeeded"


def _waits(number: int) -> bool:
    """Whether exactly `number` statements of this database wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        (waiting,) = cursor.fetchone() or (0,)
        return bool(waiting == number)


def test_a_table_has_one_transfer_at_a_time(demo: Platform) -> None:
    (first,) = services.queue([DAYS], "test", forced=True)
    assert services.queue([DAYS], "another") == [first]  # it is still queued

    def meanwhile(rows: list[Row]) -> list[Row]:
        with ThreadPoolExecutor() as other:
            other.submit(refused).result()
        return rows[1:]  # a missing row: nothing is published

    def refused() -> None:
        with closing(connection), pytest.raises(AlreadyRunning, match=r"Waiting for .* test"):
            runner.run(services.queue(TABLES, "another"))

    with pytest.raises(VerificationFailed):
        runner.run([first], Faulty(meanwhile))
    waiting = Transfer.objects.filter(asked_by="another")
    assert {t.status for t in waiting} == {"queued"}  # those of all tables
    runner.run(waiting)
    assert not Transfer.objects.filter(status__in=Transfer.ACTIVE).exists()


def test_a_transfer_that_is_delivered_twice_runs_once(demo: Platform) -> None:
    (transfer,) = services.queue([DAYS], "test")
    runner.run([transfer])
    ended = Transfer.objects.get(pk=transfer.pk)
    runner.run([Transfer.objects.get(pk=transfer.pk)])
    assert Transfer.objects.get(pk=transfer.pk).finished_at == ended.finished_at


def test_the_command_reports_each_table_and_skips_unchanged_ones(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    output = fresh.manage("transfer", "--all")
    assert re.search(r"delays_by_day/1: 2 rows in \d\.\d s, [\d,]+ rows/s, [\d,]+ bytes/s", output)
    assert fresh.manage("transfer", "--all").count("unchanged in the warehouse") == len(TABLES)
    assert "delays_by_day/2: 2 rows" in fresh.manage("transfer", "delays_by_day", "--force")


def test_the_command_refuses_unknown_tables(fresh: Platform) -> None:
    for wrong, says in ((["nope"], "airline_performance"), ([], "Name a table")):
        done = fresh.attempt("transfer", *wrong)
        assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    done = fresh.attempt("transfer", "delays_by_day")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_version_can_be_rolled_back_to_and_three_are_kept(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", "delays_by_day")
    fresh.ingest(MORE_FLIGHTS)
    fresh.manage("transfer", "delays_by_day")
    with fresh.site(processes=1) as site:
        path = "/api/delays_by_day/?columns=Day_of_Week"
        assert len(site.get(path).json()["results"]) == 3
        assert "version 1, 2 rows" in fresh.manage("rollback", "delays_by_day")
        until(lambda: len(site.get(path).json()["results"]) == 2)
        assert (
            "Available versions: 2, 1; 1 is current"
            in fresh.attempt("rollback", "delays_by_day").stderr
        )
        # The newer version is not published again until the warehouse changes.
        assert "unchanged" in fresh.manage("transfer", "delays_by_day")
        assert site.get(path).headers["x-airsense-version"] == "delays_by_day/1"
        assert "version 2, 3 rows" in fresh.manage("rollback", "delays_by_day", "2")
    for _ in range(3):
        fresh.manage("transfer", "delays_by_day", "--force")
    assert _relations(fresh, "delays_by_day") == [
        f"delays_by_day__v{n}{what}" for n in (3, 4, 5) for what in ("", "__values")
    ]


def test_a_version_that_is_read_is_pruned_later(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", "delays_by_day")
    with psycopg.connect(fresh.env["DATABASE_URL"]) as reader:
        reader.execute("SELECT * FROM delays_by_day__v1")  # its transaction stays open
        for _ in range(3):
            fresh.manage("transfer", "delays_by_day", "--force")
        assert "delays_by_day__v1" in _relations(fresh, "delays_by_day")
    fresh.manage("transfer", "delays_by_day", "--force")
    assert not any("__v1" in name for name in _relations(fresh, "delays_by_day"))


@pytest.mark.deep  # tests.test_faults kills in every phase
def test_the_schedule_marks_the_transfer_of_a_killed_worker_as_failed(
    fresh: Platform, demo: Platform
) -> None:
    fresh.env |= {"WAREHOUSE_URL": settings.WAREHOUSE_URL, "TRANSFER_LOST_AFTER": "3"}
    fresh.manage("transfer", "flight_delay_data")
    with psycopg.connect(fresh.env["DATABASE_URL"], autocommit=True) as database:
        with fresh.running("worker") as worker:
            _queue(fresh)
            until(lambda: _last(database)[0] == "copying")
            os.killpg(worker.pid, signal.SIGKILL)
        assert _relations(fresh, "flight_delay_data") == [
            *("flight_delay_data__v1", "flight_delay_data__v1__values")
        ]
        with fresh.site(processes=1) as site, fresh.running("worker"), fresh.running("beat"):
            assert _version_of(site) == "flight_delay_data/1"
            until(lambda: _last(database)[1] == "failed", seconds=60)
            assert "worker stopped" in _last(database)[2]
            _queue(fresh)
            until(lambda: _last(database)[1] == "succeeded", seconds=60)
            until(lambda: _version_of(site) == "flight_delay_data/2", seconds=2)


def test_a_transfer_names_the_schedule_that_started_it(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.python(
        "from django_celery_beat.models import IntervalSchedule, PeriodicTask;"
        "often = IntervalSchedule.objects.create(every=1, period='seconds');"
        "PeriodicTask.objects.create(name='the week', task='transfers.tasks.transfer_tables',"
        " interval=often, args='[\"delays_by_day\"]')"
    )
    with (
        psycopg.connect(fresh.env["DATABASE_URL"], autocommit=True) as database,
        fresh.running("worker"),
        fresh.running("beat"),
    ):
        sql = "SELECT count(*) FROM transfers_transfer WHERE asked_by = 'schedule: the week'"
        until(lambda: (database.execute(sql).fetchone() or (0,))[0] > 1)


def _version_of(site: Site) -> str:
    """The version of the flights that the site reads."""
    return site.get("/api/flight_delay_data/?limit=1").headers["x-airsense-version"]


def _queue(platform: Platform) -> None:
    """Queue a transfer of the flights, as the schedule does."""
    platform.python(
        "from transfers import services, tasks; from flights.tables import by_name;"
        "queued = services.queue([by_name('flight_delay_data')], 'test', forced=True);"
        "tasks.transfer.delay([t.pk for t in queued])"
    )


def _last(database: "psycopg.Connection[Any]") -> tuple[str, str, str]:
    """Phase, status and error of the newest transfer."""
    row = database.execute(
        "SELECT phase, status, error FROM transfers_transfer ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert row
    return row[0], row[1], row[2]


def _relations(platform: Platform, table: str) -> list[str]:
    with psycopg.connect(platform.env["DATABASE_URL"]) as database:
        rows = database.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s ORDER BY 1",
            [f"^{table}__v"],
        )
        return [name for (name,) in rows]


def _state(table: str) -> tuple[int, list[str]]:
    """The current version of a table of the demo platform, and all its relations."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s", [f"^{table}__v"]
        )
        return versions.current(by_name(table)).number, sorted(n for (n,) in cursor.fetchall())


def test_a_running_transfer_is_cancelled_within_two_seconds(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    with (
        psycopg.connect(fresh.env["DATABASE_URL"], autocommit=True) as database,
        fresh.running("worker"),
    ):
        with _lock_on_versions(fresh):
            _queue(fresh)
            until(lambda: _waiting(database))
            assert "cancelled transfer 1" in fresh.manage("cancel", "flight_delay_data")
            until(lambda: not _waiting(database), seconds=2)
        assert _last(database)[1:] == ("cancelled", "Cancelled by command.")
        assert _relations(fresh, "flight_delay_data") == []
        message = fresh.manage("cancel", "flight_delay_data")
        assert message == "No transfer of flight_delay_data is queued or running.\n"
        _queue(fresh)
        until(lambda: _last(database)[1] == "succeeded")


def test_a_cancelled_transfer_ends_although_its_statement_outlives_the_first_cancel(
    fresh: Platform,
) -> None:
    fresh.ingest(FLIGHTS)
    with (
        psycopg.connect(fresh.env["DATABASE_URL"], autocommit=True) as database,
        fresh.running("worker"),
    ):
        for statement in HOLD:
            database.execute(statement)
        _queue(fresh)
        until(lambda: _waiting(database))
        fresh.manage("cancel", "flight_delay_data")
        until(lambda: not _waiting(database), seconds=5)
        assert _last(database)[1:] == ("cancelled", "Cancelled by command.")


def test_a_queued_transfer_names_the_transfer_it_waits_for(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    with (
        psycopg.connect(fresh.env["DATABASE_URL"], autocommit=True) as database,
        fresh.running("worker"),
        ThreadPoolExecutor() as terminal,
    ):
        with _lock_on_versions(fresh):
            _queue(fresh)
            until(lambda: _waiting(database))
            command = terminal.submit(fresh.attempt, "transfer", "flight_delay_data", "--force")
            until(lambda: _last(database)[1] == "queued")
        done = command.result()
    assert done.returncode == 0, done.stderr
    assert "Waiting for transfer 1 of flight_delay_data, requested by test" in done.stderr
    assert "flight_delay_data/2" in done.stdout


@pytest.mark.parametrize(
    ("ending", "code"),
    [("unchanged", 0), ("failed", 1), pytest.param("cancelled", 1, marks=pytest.mark.deep)],
)
def test_a_command_waits_for_a_running_transfer_of_its_table_and_ends_with_its_status(
    demo: Platform, tmp_path: Path, ending: str, code: int
) -> None:
    own = Platform(demo.env, log=tmp_path / "log")
    alive = {"status": "running", "heartbeat_at": "2100-01-01T00Z", "claim": uuid.uuid4()}
    ahead = Transfer.objects.create(table="delays_by_day", asked_by="somebody", **alive)
    (queued,) = services.queue([DAYS], "test")
    mine = Transfer.objects.filter(pk=queued.pk)
    with own.running("transfer", "delays_by_day") as command:
        until(lambda: "Waiting for transfer" in own.log.read_text())
        with transaction.atomic():
            services.cancel(ahead, by="test")
            mine.update(**alive)
        until(lambda: f"Another process runs {queued}" in own.log.read_text())
        mine.update(status=ending, finished_at=timezone.now())
        assert command.wait(30) == code


def test_rolling_back_is_recorded_with_the_transfers(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", "delays_by_day")
    fresh.manage("transfer", "delays_by_day", "--force")
    fresh.manage("rollback", "delays_by_day")
    assert "* delays_by_day/1  2 rows" in fresh.manage("versions", "delays_by_day")
    assert "  delays_by_day/2  2 rows" in fresh.manage("versions")
    with psycopg.connect(fresh.env["DATABASE_URL"]) as database:
        assert database.execute(
            "SELECT mode, status, asked_by, number FROM transfers_transfer"
            " JOIN flights_tableversion v ON v.id = version_id ORDER BY transfers_transfer.id DESC"
        ).fetchone() == ("rollback", "succeeded", "command", 1)


@contextmanager
def _lock_on_versions(platform: Platform) -> Iterator[None]:
    """Block all transfers: a lock keeps them from storing their version."""
    with psycopg.connect(platform.env["DATABASE_URL"]) as database:
        database.execute("LOCK TABLE flights_tableversion IN SHARE ROW EXCLUSIVE MODE")
        yield


def _waiting(database: "psycopg.Connection[Any]") -> bool:
    """Whether a statement waits for a lock."""
    return bool(
        database.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    )
