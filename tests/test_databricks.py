"""The warehouse on Databricks, over its wire protocol: credentials, starting, failures, secrets."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pytest_django import Settings

from tests.platform import COLUMNS, Platform
from tests.warehouse.running import CLIENT, SECRET, TOKEN, WarehouseServer, running
from transfers import broker
from transfers.exceptions import (
    VerificationFailed,
    WarehouseError,
    WarehouseStarting,
    WarehouseUnavailable,
)
from transfers.ingest.raw_table import RAW, ingest
from transfers.load import verification
from transfers.warehouses import Warehouse, connect
from transfers.warehouses.databricks_connector import Connection

ROWS = 150_000  # more than one answer holds, and several files
FILE_ROWS = 50_000
RECORDS = "2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,-5,"


@pytest.fixture
def warehouse_server(
    warehouse_server: WarehouseServer, settings: Settings
) -> Iterator[WarehouseServer]:
    """The server, in whose warehouse commands and `connect` work with a good token."""
    warehouse_server.configure(settings)
    settings.WAREHOUSE_START_TIMEOUT = 20
    yield warehouse_server
    warehouse_server.clear_faults()
    warehouse_server.set(links=True, token_lifetime=3600.0, overridden={})


@pytest.fixture
def numbers(warehouse_server: WarehouseServer) -> Warehouse:
    """A warehouse with a table of many rows."""
    warehouse = connect(warehouse_server.url)
    if "numbers" not in warehouse.tables():
        with warehouse.change() as change:
            change.execute(f"CREATE TABLE numbers AS SELECT id AS n FROM range({ROWS}) AS r(id)")
    return warehouse


def total(warehouse: Warehouse) -> int:
    with warehouse.snapshot("numbers") as source:
        return sum(batch.num_rows for batch in source.batches(["n"], ["n"]))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("databricks://host/main?http_path=/x", "is not of the form databricks://HOST/CATALOG"),
        ("databricks://host/main/flights", "is not of the form databricks://HOST/CATALOG"),
        ("databricks:///main/flights?http_path=/x", "is not of the form databricks://HOST/CATALOG"),
        ("databricks://me:pass@host/a/b?http_path=/x", "WAREHOUSE_URL contains credentials"),
        (
            "databricks://host/a/b?http_path=/x&token=1",
            "WAREHOUSE_URL has unknown parameters: token",
        ),
        (
            "databricks+http://db.example.org/a/b?http_path=/x",
            "would travel to db.example.org unencrypted",
        ),
        ("mysql://host/a", "is not the URL of a warehouse"),
    ],
)
def test_an_invalid_warehouse_url_is_refused_in_one_line(
    warehouse_server: WarehouseServer, url: str, says: str
) -> None:
    with pytest.raises(WarehouseError, match=says) as refused:
        connect(url)
    assert refused.value.advice
    assert "pass" not in str(refused.value)


def test_missing_credentials_are_named(
    warehouse_server: WarehouseServer, settings: Settings
) -> None:
    settings.DATABRICKS_TOKEN = ""
    settings.DATABRICKS_CLIENT_ID = CLIENT  # without its secret
    with pytest.raises(WarehouseError, match="No credentials") as refused:
        connect(warehouse_server.url)
    assert "Set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and" in refused.value.advice


def test_a_bad_token_is_refused_without_showing_it(
    warehouse_server: WarehouseServer, settings: Settings
) -> None:
    settings.DATABRICKS_TOKEN = "dapi-wrong"
    with pytest.raises(WarehouseError, match="refused the credentials: HTTP 403") as refused:
        connect(warehouse_server.url).tables()
    assert not refused.value.transient
    assert "dapi-wrong" not in f"{refused.value} {refused.value.advice}"


def test_an_untrusted_certificate_is_refused_with_the_cure(
    warehouse_server: WarehouseServer, settings: Settings, tmp_path: Path
) -> None:
    with running(tmp_path, "--tls") as secure:
        settings.DATABRICKS_CA_FILE = ""
        with pytest.raises(WarehouseError, match="is not trusted") as refused:
            connect(secure.url).tables()
    assert "DATABRICKS_CA_FILE" in refused.value.advice
    assert not refused.value.transient


def test_a_machine_logs_in_with_its_secret(
    warehouse_server: WarehouseServer, settings: Settings, tmp_path: Path
) -> None:
    with running(tmp_path, "--tls") as secure:
        settings.DATABRICKS_CA_FILE = secure.env["DATABRICKS_CA_FILE"]
        settings.DATABRICKS_TOKEN = ""
        settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET = CLIENT, SECRET
        secure.set(token_lifetime=62.0)  # a token is not used in its last minute
        with connect(secure.url).change() as change:
            token_calls = secure.log()["calls"].count("token")
            time.sleep(2.1)
            assert change.query("SELECT 1 AS n")["n"].to_pylist() == [1]
        assert secure.log()["calls"].count("token") == token_calls + 1


def test_a_machine_that_is_not_known_is_refused(
    warehouse_server: WarehouseServer, settings: Settings
) -> None:
    settings.DATABRICKS_TOKEN = ""
    settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET = CLIENT, "wrong-secret"
    with pytest.raises(WarehouseError, match=f"principal {CLIENT}: HTTP 401") as refused:
        connect(warehouse_server.url).tables()
    assert "wrong-secret" not in f"{refused.value} {refused.value.advice}"


@pytest.mark.parametrize(
    ("at", "do"), [("OpenSession", "503"), ("ExecuteStatement", "not-initialized")]
)
def test_a_warehouse_that_is_starting_is_waited_for(
    warehouse_server: WarehouseServer, at: str, do: str
) -> None:
    messages = list[str]()
    warehouse_server.fault(at, do, times=2)
    assert isinstance(connect(warehouse_server.url, messages.append).tables(), list)
    assert messages == ["waiting for the warehouse to start"]


def test_a_warehouse_that_does_not_start_in_time_is_given_up(
    warehouse_server: WarehouseServer, settings: Settings
) -> None:
    settings.WAREHOUSE_START_TIMEOUT = 1
    warehouse_server.fault("OpenSession", "503", times=99)
    with pytest.raises(WarehouseUnavailable, match="did not start within 1 s") as late:
        connect(warehouse_server.url).tables()
    assert late.value.transient


@pytest.mark.parametrize(
    ("settings_of_the_server", "says"),
    [
        ({"TIMEZONE": "Europe/Berlin"}, "sessions are in the time zone Europe/Berlin"),
        ({"ANSI_MODE": "false"}, "sessions are not in ANSI mode"),
    ],
)
def test_sessions_whose_settings_cannot_be_set_are_refused_with_the_remedy(
    warehouse_server: WarehouseServer, settings_of_the_server: dict[str, str], says: str
) -> None:
    warehouse_server.set(overridden=settings_of_the_server)
    with pytest.raises(WarehouseError, match=says) as refused:
        connect(warehouse_server.url).tables()
    assert f"Remove what sets {next(iter(settings_of_the_server))}" in refused.value.advice
    assert not refused.value.transient


# The outcome of a fault at each call. A statement is rerun if none of its rows were read yet.
MENDED: list[Any] = [
    pytest.param("FetchResults", "500", {"links": False}, marks=pytest.mark.deep),
    ("ExecuteStatement", "reset", {}),
    ("ExecuteStatement", "lost", {}),
    ("ExecuteStatement", "cut", {}),
    ("ExecuteStatement", "500", {}),
    ("ExecuteStatement", "session-lost", {}),
    ("FetchResults", "reset", {"links": False}),
    ("file", "reset", {}),
    ("file", "cut", {}),
    (
        "file",
        "403",
        {"file_rows": 1_000_000},
    ),  # one file, because of several files another one could come first
    ("results", "expired-link", {}),
]


@pytest.mark.parametrize(("at", "do", "how"), MENDED)
def test_a_temporary_fault_is_retried(
    warehouse_server: WarehouseServer, numbers: Warehouse, at: str, do: str, how: dict[str, Any]
) -> None:
    more = {"links": True, **how}
    warehouse_server.set(links=more.pop("links"), file_rows=more.pop("file_rows", FILE_ROWS))
    with numbers.snapshot("numbers") as source:
        warehouse_server.fault(at, do, **more)
        assert sum(batch.num_rows for batch in source.batches(["n"], ["n"])) == ROWS
        assert "a token was sent to the storage" not in warehouse_server.log()["calls"]


@pytest.mark.parametrize(
    ("do", "says"),
    [
        ("401", "refused the credentials"),
        ("403", "refused the cred"),
        ("404", "does not have this"),
    ],
)
def test_permanent_errors_are_not_retried(
    warehouse_server: WarehouseServer, numbers: Warehouse, do: str, says: str
) -> None:
    warehouse_server.fault("ExecuteStatement", do, times=99, sql="DESCRIBE")
    ran = warehouse_server.log()["calls"].count("ExecuteStatement")
    with pytest.raises(WarehouseError, match=says) as refused:
        numbers.version("numbers")
    assert not refused.value.transient
    assert warehouse_server.log()["calls"].count("ExecuteStatement") == ran + 1


def test_a_warehouse_that_stays_away_is_unavailable(
    settings: Settings, warehouse_server: WarehouseServer
) -> None:
    unreachable = warehouse_server.url.replace(warehouse_server.url.split("/")[2], "127.0.0.1:9")
    with pytest.raises(WarehouseUnavailable, match=r"127\.0\.0\.1 did not respond") as away:
        connect(unreachable).tables()
    assert away.value.transient
    assert not isinstance(away.value, WarehouseStarting)


@pytest.mark.parametrize("do", ["short-read", "repeated-read"])
@pytest.mark.parametrize("links", [True, False])
def test_rows_that_the_connector_loses_or_repeats_are_noticed(
    warehouse_server: WarehouseServer, numbers: Warehouse, do: str, links: bool
) -> None:
    warehouse_server.set(links=links)
    with numbers.snapshot("numbers") as source:
        figures = source.figures(source.schema, ["n"])
        warehouse_server.fault("results", do, sql="ORDER BY")
        rows = sum(batch.num_rows for batch in source.batches(["n"], ["n"]))
        with pytest.raises(VerificationFailed, match="rows is 150000 in the warehouse"):
            verification.compare(figures, figures | {"rows": str(rows)}, "numbers")


@pytest.mark.deep
@pytest.mark.parametrize(
    ("at", "do"), [("FetchResults", "503"), ("FetchResults", "429"), ("file", "503")]
)
def test_a_busy_server_is_waited_for_in_the_middle_of_a_read(
    warehouse_server: WarehouseServer, numbers: Warehouse, at: str, do: str
) -> None:
    warehouse_server.set(links=at == "file")
    with numbers.snapshot("numbers") as source:
        warehouse_server.fault(at, do)
        began = time.monotonic()
        assert sum(batch.num_rows for batch in source.batches(["n"], ["n"])) == ROWS
    assert time.monotonic() - began < 20  # the connector's own settings would take a minute


def test_an_ingest_that_was_cut_short_adds_its_records_once(
    warehouse_server: WarehouseServer, tmp_path: Path
) -> None:
    own = warehouse_server.schema("cut_short")
    warehouse, file = connect(own.url), tmp_path / "raw.csv"
    file.write_text(f"{COLUMNS}\n{RECORDS}\n")
    warehouse_server.fault("ExecuteStatement", "403", sql="COPY INTO `ingested_files`")
    with pytest.raises(WarehouseError, match="refused"):
        ingest(warehouse, [file])
    assert warehouse.tables() == ["ingested_files", RAW]
    ingest(warehouse, [file], "append")
    with warehouse.snapshot(RAW) as source:
        assert source.rows == 2
    assert [done.new for done in ingest(warehouse, [file])] == [False]


@pytest.mark.parametrize("do", ["lost", pytest.param("reset", marks=pytest.mark.deep)])
def test_statements_that_are_run_twice_do_no_harm(
    warehouse_server: WarehouseServer, tmp_path: Path, do: str
) -> None:
    own = warehouse_server.schema(f"twice_{do}")
    warehouse, file = connect(own.url), tmp_path / "raw.csv"
    file.write_text(f"{COLUMNS}\n{RECORDS}\n")
    for sql in ("COPY INTO `raw", "PUT '", "REMOVE", "CREATE TABLE", "CREATE OR REPLACE", "DROP"):
        warehouse_server.fault("ExecuteStatement", do, sql=sql)
    warehouse_server.fault("upload", "reset")
    ingest(warehouse, [file])
    broker.build(warehouse)
    with warehouse.change() as change:
        change.drop("broker_builds")
    with warehouse.snapshot(RAW) as raw, warehouse.snapshot("delays_by_day") as days:
        assert (raw.rows, days.rows) == (2, 2)
    assert "broker_builds" not in warehouse.tables()


def test_a_missing_volume_is_named(warehouse_server: WarehouseServer) -> None:
    elsewhere = connect(warehouse_server.url.replace("volume=airsense", "volume=nowhere"))
    table = pa.table({"n": [1]})
    with pytest.raises(WarehouseError) as refused, elsewhere.change() as change:
        change.append("t", table.schema, table.to_batches(), "1")
    assert "main.flights.nowhere" in refused.value.advice


def test_no_secret_is_in_any_output(
    warehouse_server: WarehouseServer, fresh: Platform, tmp_path: Path
) -> None:
    own = warehouse_server.schema("secrets")
    fresh.env |= own.env
    file = tmp_path / "raw.csv"
    file.write_text(f"{COLUMNS}\n" + f"{RECORDS}\n" * 15_000)  # their results are behind links
    (tmp_path / "other.csv").write_text(f"{COLUMNS}\n{RECORDS}\n{RECORDS}\n")
    ingest(connect(own.url), [file])
    broker.build(connect(own.url))
    outputs = []
    for at, do, command in (
        ("results", "expired-link", ["transfer", "flight_delay_data"]),
        ("upload", "500", ["ingest", "--replace", str(tmp_path / "other.csv")]),
        ("OpenSession", "403", ["broker"]),
    ):
        warehouse_server.fault(at, do, times=9, sql="ORDER BY" * (at == "results"))
        done = fresh.attempt(*command)
        warehouse_server.clear_faults()
        assert done.returncode == 1
        outputs += [done.stdout, done.stderr]
    for secret in (TOKEN, "signed-link", "signed-upload", "Traceback"):
        assert not [text for text in outputs if secret in text]


@pytest.mark.parametrize(
    "tables",
    [
        # Counts and averages, a table by months, and the flights themselves.
        pytest.param(["delays_by_day", "performance_by_date", "flight_delay_data"], id="some"),
        pytest.param(broker.TABLES, id="all", marks=pytest.mark.deep),
    ],
)
def test_the_pipeline_gives_the_same_results_as_the_embedded_warehouse(
    warehouse_server: WarehouseServer, fresh: Platform, tables: list[str]
) -> None:
    fresh.ingest(RECORDS)
    file = fresh.warehouse / "raw.csv"
    fresh.manage("transfer", *tables)
    with fresh.site(processes=1) as site:
        before = {table: site.get(f"/api/{table}/").json()["results"] for table in tables}
        own = warehouse_server.schema(f"whole_way_{len(tables)}")
        fresh.env |= own.env
        fresh.manage("ingest", str(file))
        fresh.manage("broker")
        output = fresh.manage("transfer", *tables).splitlines()
        lines = {line.partition("/2: ")[0]: line for line in output if "/2: " in line}
        assert lines.keys() == set(tables)
        assert all(f" {len(rows)} rows in" in lines[table] for table, rows in before.items())
        assert "unchanged" in fresh.manage("transfer", "delays_by_day")
        after = {table: site.get(f"/api/{table}/").json() for table in tables}
    assert {table: response["results"] for table, response in after.items()} == before
    assert {response["version"] for response in after.values()} == {2}


def test_the_server_supports_the_metadata_calls_of_the_connector(
    warehouse_server: WarehouseServer, numbers: Warehouse
) -> None:
    with (
        Connection(
            warehouse_server.url.replace("databricks+", "").split("/main")[0],
            "/sql/1.0/warehouses/tests",
            TOKEN,
            catalog="main",
            schema="flights",
            enable_telemetry=False,
            _disable_pandas=True,
            _connection_uri=warehouse_server.url.replace("databricks+", "").split("/main")[0]
            + "/sql",
        ) as connection,
        connection.cursor() as cursor,
    ):
        ask: Callable[..., list[Any]] = lambda sql, *values: [  # noqa: E731
            tuple(row) for row in cursor.execute(sql, *values).fetchall()
        ]
        cursor.columns("main", "flights", "numbers")
        assert [row.COLUMN_NAME for row in cursor.fetchall()] == ["n"]
        cursor.tables("main", "fl_ghts", "num%")
        assert [row.TABLE_NAME for row in cursor.fetchall()] == ["numbers"]
        assert ask("SELECT n FROM numbers WHERE n = :n", {"n": 7}) == [(7,)]
        assert ask("SELECT count(*) FROM numbers WHERE n < ?", [3]) == [(3,)]
        ask("CREATE TABLE t (k INT, v STRING)")
        ask("ALTER TABLE t SET TBLPROPERTIES (delta.enableChangeDataFeed = true)")
        ask("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        ask("UPDATE t SET v = 'c' WHERE k = 2")
        assert ask("SELECT k FROM t VERSION AS OF 0") == []
        assert [row[0] for row in ask("DESCRIBE HISTORY t")] == [2, 1, 0]
        changed = ask("SELECT k, v, _change_type FROM table_changes('t', 2) ORDER BY ALL")
        assert changed == [(2, "b", "delete"), (2, "c", "insert")]


def test_logs_of_the_connector_are_not_shown() -> None:
    for name in ("databricks.sql.client", "databricks.sql.unsafe", "urllib3.connectionpool"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
