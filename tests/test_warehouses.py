"""Behaviour that all warehouses share: the embedded one, Databricks over its wire protocol, Spark.

Databricks is the server of `tests.warehouse`, with results inline, behind links, and over TLS.
Spark is a real one (`make test-spark`).
"""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from flights.mirror import MirroredTable
from tests import spark_server
from tests.every_type import TYPES, EveryType, table_of
from tests.spark_server import SparkServer
from tests.warehouse.running import WarehouseServer, running
from transfers import broker, inspection
from transfers.exceptions import BadInput, SourceMissing, TableNotEmpty, Unstorable
from transfers.ingest.raw_table import RAW, ingest
from transfers.inspection import WIDER
from transfers.load import columns, verification, writer
from transfers.warehouses import Snapshot, Warehouse, connect
from transfers.warehouses.duckdb_parts import PART_ROWS

HEADER = (
    "Flight Date,Airline Name,Origin City,Destination City,"
    "Departure Delay Minutes,Arrival Delay Minutes"
)
LINES = ["2013-01-07,Alpha,A,B,10,20", "2013-01-08,Beta,B,A,-5,"]


type Server = WarehouseServer | SparkServer

SPARK, SPARK_FILES = (
    pytest.param(kind, marks=[pytest.mark.deep, pytest.mark.spark])
    for kind in ("spark", "spark files")  # rows as parameters, and in files
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Return a function that starts each kind of server once."""
    flags = {"inline": ["--inline"], "links": [], "tls": ["--tls"]}
    started: dict[str, Server] = {}
    with ExitStack() as stack:

        def server(kind: str) -> Server:
            if kind not in started:
                folder = tmp_path_factory.mktemp(kind)
                if kind == "spark":
                    started[kind] = stack.enter_context(spark_server.running(folder))
                else:
                    started[kind] = stack.enter_context(running(folder, *flags[kind]))
            return started[kind]

        yield server


KINDS = ["embedded", pytest.param("inline", marks=pytest.mark.deep), "links", SPARK]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def warehouse(
    kind: str,
    servers: Callable[[str], Server],
    tmp_path: Path,
    settings: Settings,
    request: pytest.FixtureRequest,
) -> Warehouse:
    """An empty warehouse, which commands use, too."""
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}/warehouse"
    if kind != "embedded":
        server, *files = kind.split()
        served = servers(server).schema(f"test_{abs(hash(request.node.name))}")
        for name, value in served.env.items():
            setattr(settings, name, value)
        settings.WAREHOUSE_URL += f"?files={tmp_path}" * len(files)
    return connect(settings.WAREHOUSE_URL)


@pytest.fixture(scope="module")
def database() -> None:
    """The tables of this process's own database."""
    call_command("migrate", verbosity=0)


def put(warehouse: Warehouse, name: str, rows: pa.Table, key: str = "1") -> None:
    with warehouse.change() as change:
        change.append(name, rows.schema, rows.to_batches(max_chunksize=1000), key)


def read(source: Snapshot, order: list[str]) -> pa.Table:
    names = source.schema.names
    return pa.Table.from_batches(source.batches(names, order), source.schema)


def csv(folder: Path, name: str, *lines: str, header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines, ""]))
    return path


@pytest.mark.parametrize(
    "kind", ["embedded", "inline", "links", "tls", SPARK, SPARK_FILES], indirect=True
)
def test_every_type_arrives_as_it_is(warehouse: Warehouse) -> None:
    table = table_of(TYPES)
    put(warehouse, "every_type", table)
    with warehouse.snapshot("every_type") as source:
        assert source.schema == table.schema
        assert source.rows == 4
        rows = read(source, ["n"])
    # repr: NaN is not equal to itself, and -0.0 is equal to 0.0
    assert repr(rows.to_pylist()) == repr(table.sort_by("n").to_pylist())


def test_a_copy_of_every_type_is_proved_equal(warehouse: Warehouse, database: None) -> None:
    put(warehouse, "every_type", table_of(TYPES))
    schema = columns.schema(EveryType)
    with warehouse.snapshot("every_type") as source, transaction.atomic():
        names = columns.check(schema, source.schema, "every_type").names
        version = writer.create(EveryType, schema, source.version)
        assert list(writer.copy(version, schema, source.batches(names, ["n"])))[-1].rows == 4
        verification.compare(
            source.figures(schema, names), verification.figures(version, schema), "every_type"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT text, raw, local, length(text) FROM {version.relation} ORDER BY id"
            )
            rows = cursor.fetchall()
        transaction.set_rollback(True)
    assert [length for *_, length in rows] == [1 << 20, None, 0, 3]
    assert rows[1][:3] == (None, None, None)
    assert bytes(rows[3][1]) == b"\0\xff"
    assert rows[3][2] == datetime(2024, 3, 10, 2, 30)


@pytest.mark.parametrize("column", ["n", "price", "text", "day", "instant", "local"])
def test_rows_after_a_value_are_read(warehouse: Warehouse, column: str) -> None:
    table = table_of(TYPES)
    place = table.schema.get_field_index("text")
    table = table.set_column(place, "text", pa.array(["b", "a", "c", None]))
    values = sorted(v for v in table[column].to_pylist() if v is not None)
    put(warehouse, "every_type", table)
    with warehouse.snapshot("every_type") as source:
        result = pa.Table.from_batches(source.batches([column], [column], (column, values[0])))
    assert result[column].to_pylist() == values[1:]


@pytest.mark.parametrize("kind", ["embedded"], indirect=True)
@pytest.mark.parametrize("order", ["n", "-n", "t", "-price", "instant"])
def test_a_table_of_many_parts_is_read_in_order(warehouse: Warehouse, order: str) -> None:
    numbers = [i * 7919 % 1000 if i % 7 else None for i in range(3 * PART_ROWS)]
    many = pa.table(
        {
            "n": pa.array(numbers, pa.int32()),
            "t": pa.array([None if n is None else f"'{n}\0" for n in numbers]),
            "price": pa.array([math.nan if n == 5 else n for n in numbers], pa.float64()),
            "instant": pa.array(numbers, pa.timestamp("us", "UTC")),
            "id": pa.array(range(len(numbers))),
        }
    )
    put(warehouse, "many", many)
    with warehouse.snapshot("many") as source:
        result = read(source, [order])
    nulls = "DESC NULLS FIRST" if order.startswith("-") else "NULLS LAST"
    by = f"{order.removeprefix('-')} {nulls}, n NULLS LAST, id"
    assert result["id"].equals(
        duckdb.connect().sql(f"SELECT id FROM many ORDER BY {by}").to_arrow_table()["id"]
    )


# Values at which engines differ: decimals without a digit before the point, sums beyond 38 digits
# and beyond the greatest float, powers of two, texts that a collation would sort otherwise.
HARD: dict[str, tuple[pa.DataType, list[Any]]] = {
    "fraction": (pa.decimal128(5, 5), [Decimal("0.5"), Decimal("-0.00001"), None]),
    "long_fraction": (pa.decimal128(38, 38), [Decimal("0.9"), Decimal("-0.5"), Decimal("0.7")]),
    "wide": (pa.decimal128(38, 37), [Decimal("0.9"), Decimal("9.9"), Decimal("9.8")]),
    "widest": (pa.decimal128(38, 0), [10**38 - 1, 10**38 - 1, -5]),
    "never": (pa.decimal128(38, 9), [None, None, None]),
    "beyond": (pa.float64(), [1.7e308, 1.6e308, -1.0]),
    "single": (pa.float32(), [0.1, None, 3.4028235e38]),
    "power": (pa.float64(), [2.0**1023, math.nextafter(2.0**-1022, 0), -(2.0**-537)]),
    "text": (pa.string(), ["a", "B", "\uffff\U00010000"]),
}


def test_hard_values_have_the_same_figures_as_in_postgresql(
    warehouse: Warehouse, database: None
) -> None:
    table = pa.table({name: pa.array(values, type_) for name, (type_, values) in HARD.items()})
    schema = pa.schema([f.with_type(WIDER.get(f.type, f.type)) for f in table.schema])
    put(warehouse, "hard", table)
    with warehouse.snapshot("hard") as source, transaction.atomic():
        version = writer.make_temporary("hard", schema)
        list(writer.copy(version, schema, source.batches(schema.names, ["text"])))
        figures = source.figures(schema, schema.names)
        verification.compare(figures, verification.figures(version, schema), "hard")
        transaction.set_rollback(True)
    assert figures["widest sum"] == str(2 * 10**38 - 7)
    assert (figures["wide sum"], figures["never sum"]) == ("20.6" + "0" * 36, None)
    assert (figures["text min"], figures["text max"]) == ("B", "\uffff\U00010000")
    assert float(str(figures["beyond sum"])) == -1  # the others cannot be added


@pytest.mark.parametrize("number", [300, pytest.param(2000, marks=pytest.mark.deep)])
def test_hundreds_of_columns_keep_their_places(warehouse: Warehouse, number: int) -> None:
    wide = {f"Column {number}": [number, None, -number] for number in range(number)}
    put(warehouse, "wide", pa.table(wide))
    with warehouse.snapshot("wide") as source:
        assert read(source, ["Column 1"]).to_pydict() == {
            name: [values[2], values[0], values[1]] for name, values in wide.items()
        }
        figures = source.figures(source.schema, source.schema.names)
        assert figures[f"Column {number - 1} sum"] == "0"


def test_many_batches_keep_their_order(warehouse: Warehouse) -> None:
    rows = 60_000
    put(warehouse, "long", pa.table({"n": range(rows), "t": [f"row {n}" for n in range(rows)]}))
    with warehouse.snapshot("long") as source:
        batches = list(source.batches(["t", "n"], ["-n"]))
        assert all(batch.num_rows for batch in batches)
        assert pa.Table.from_batches(batches)["n"].to_pylist() == list(range(rows))[::-1]


NESTED = """
CREATE OR REPLACE TABLE nested AS
SELECT 1 AS n, array(1, NULL) AS tags, named_struct('a', 1, 'b', CAST(NULL AS STRING)) AS pair,
 parse_json('{"k": [1.5]}') AS payload, INTERVAL '1' DAY AS span
"""
OTHERS = ("tags", "pair", "payload", "span")


def test_nested_values_are_left_out_or_carried_as_json(
    warehouse: Warehouse, kind: str, database: None
) -> None:
    with warehouse.change() as change:
        change.execute(NESTED)
    wanted = pa.schema([("n", pa.int32()), *((name, pa.string()) for name in OTHERS)])
    with warehouse.snapshot("nested") as source:
        fit = columns.compare(wanted.empty_table().select(["n"]).schema, source.schema)
        assert [line.split()[0] for line in fit.accepted] == [*OTHERS]
        assert "can be carried as JSON by Mirror.json" in fit.accepted[0]
        refused = columns.compare(wanted, source.schema).refused
        assert "can be carried as JSON by Mirror.json" in refused[0]
        printed_model = inspection.model("nested", source)
        assert "# tags is" in printed_model
        assert "models.IntegerField" in printed_model
    # Names match in any case.
    with warehouse.snapshot("nested", ["Tags", *OTHERS]) as source, transaction.atomic():
        assert columns.compare(wanted, source.schema).refused == []
        version = writer.make_temporary("nested", wanted)
        list(writer.copy(version, wanted, source.batches(wanted.names, ["-n"])))
        figures = source.figures(wanted, wanted.names)
        verification.compare(figures, verification.figures(version, wanted), "nested")
        (row,) = read(source, ["n"]).to_pylist()
        assert source.query("SELECT tags FROM {source}").num_rows == 1
        transaction.set_rollback(True)
    assert [json.loads(row[name]) for name in OTHERS[:3]] == [
        [1, None],
        {"a": 1, "b": None},
        {"k": [1.5]},
    ]
    # Spark writes INTERVAL '1' DAY.
    assert "1 day" in json.loads(row["span"]).replace("'", "").lower()


def test_a_nul_character_is_refused_with_its_column_and_row(
    warehouse: Warehouse, database: None
) -> None:
    texts = ["a", "b", "c\0d"]
    table_columns = {"n": (pa.int64(), None, [3, 2, 1])} | {
        name: (type_, None, [texts[n] if name == "quotes" else values[0] for n in range(3)])
        for name, (type_, _, values) in TYPES.items()
        if name != "n"
    }
    put(
        warehouse,
        "every_type",
        pa.table({n: pa.array(v, t) for n, (t, _, v) in table_columns.items()}),
    )
    schema = columns.schema(EveryType)
    says = "every_type: column quotes of row 1, in the declared order, contains a NUL character"
    with warehouse.snapshot("every_type") as source, transaction.atomic():
        version = writer.create(EveryType, schema, source.version)
        with pytest.raises(Unstorable, match=says):
            list(writer.copy(version, schema, source.batches(schema.names, ["n"])))
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("type_", "value"),  # the first moment of the year 10000
    [
        (pa.date32(), 2_932_897),
        pytest.param(pa.timestamp("us"), 253_402_300_800_000_000, marks=pytest.mark.deep),
        (pa.timestamp("us", "UTC"), 253_402_300_800_000_000),
    ],
    ids=str,
)
def test_a_date_that_no_reader_can_have_is_refused_with_its_column_and_row(
    warehouse: Warehouse, database: None, type_: pa.DataType, value: int
) -> None:
    when = pa.array([0, None, value - 1, value], type_)
    put(warehouse, "whens", pa.table({"n": [1, 2, 3, 4], "at": when}))
    says = "whens: column at of row 4, in the declared order, is not in the years 1 to 9999"
    with warehouse.snapshot("whens") as source, transaction.atomic():
        schema = source.schema
        version = writer.make_temporary("whens", schema)
        with pytest.raises(Unstorable, match=says):
            list(writer.copy(version, schema, source.batches(schema.names, ["n"])))
        transaction.set_rollback(True)


def test_a_read_stays_at_its_version_while_others_change_the_table(warehouse: Warehouse) -> None:
    many = pa.table({"n": range(50_000)})
    put(warehouse, "t", many, "1")
    with warehouse.snapshot("t") as before:
        figures = before.figures(before.schema, ["n"])
        batches = before.batches(["n"], ["n"])
        first = next(batches)
        put(warehouse, "t", pa.table({"n": [-1]}), "2")
        assert first.num_rows + sum(batch.num_rows for batch in batches) == 50_000
        assert before.figures(before.schema, ["n"]) == figures
        with warehouse.snapshot("t") as after:
            assert (before.rows, after.rows) == (50_000, 50_001)
            assert before.version != after.version == warehouse.version("t")


def test_the_version_changes_exactly_when_the_table_does(warehouse: Warehouse, kind: str) -> None:
    put(warehouse, "t", pa.table({"n": [1]}))
    put(warehouse, "other", pa.table({"n": [1]}))
    versions = [warehouse.version("t")]
    if kind not in ("embedded", "spark"):
        with warehouse.change() as change:
            change.execute("OPTIMIZE t")  # a version of the same rows
        with warehouse.snapshot("t") as source:
            assert (source.version, source.rows) == (versions[0], 1)
    put(warehouse, "other", pa.table({"n": [2]}), "2")
    assert warehouse.version("t") == versions[0]
    put(warehouse, "t", pa.table({"n": [2]}), "2")
    versions.append(warehouse.version("t"))
    with warehouse.change() as change:
        change.drop("t")
    put(warehouse, "t", pa.table({"n": [1]}))
    versions.append(warehouse.version("t"))
    assert len(set(versions)) == 3


def test_a_missing_table_is_named_with_those_that_exist(warehouse: Warehouse) -> None:
    with pytest.raises(SourceMissing, match="no table flights") as refused:
        warehouse.version("flights")
    assert refused.value.advice.startswith("It is empty.")
    put(warehouse, "days", pa.table({"n": [1]}))
    assert warehouse.tables() == ["days"]
    with pytest.raises(SourceMissing) as refused, warehouse.snapshot("flights"):
        pass
    assert refused.value.advice.startswith("It has days.")


def test_records_go_through_the_broker(warehouse: Warehouse, tmp_path: Path) -> None:
    ingest(warehouse, [csv(tmp_path, "a.csv", *LINES, "2013-01-14,Alpha,A,B,1,0")])
    rows = {built.name: built.rows for built in broker.build(warehouse)}
    averages = ("airline_performance", "busiest_airports_by_delays", "delays_by_day")
    assert [rows.pop(table) for table in ("flight_delay_data", *averages)] == [3, 2, 2, 2]
    assert rows.pop("performance_by_date") == 3
    assert set(rows.values()) == {0}  # the file has no codes
    assert broker.build(warehouse) == []
    with warehouse.snapshot("delays_by_day") as source:
        expected = ["Monday", 5.5, 10.0, 2]
        assert expected in [list(row.values()) for row in read(source, []).to_pylist()]
    with warehouse.snapshot("busiest_airports_by_delays") as source:
        assert read(source, ["City"]).to_pylist()[0]["Total_Avg_Delay"] == 5.5


@pytest.mark.parametrize("kind", [*KINDS, SPARK_FILES], indirect=True)
def test_files_are_added_once_and_replaced_whole(warehouse: Warehouse, tmp_path: Path) -> None:
    one = csv(tmp_path, "one.csv", *LINES)
    more = csv(tmp_path, "more.csv", LINES[0] + ",x", header=f"{HEADER},Note")
    assert [file.new for file in ingest(warehouse, [one])] == [True]
    assert [file.new for file in ingest(warehouse, [one], "append")] == [False]
    with pytest.raises(TableNotEmpty, match="has 2 other records"):
        ingest(warehouse, [more])
    ingest(warehouse, [more], "append")
    with warehouse.snapshot(RAW) as source:
        assert sorted(read(source, [])["Note"].to_pylist(), key=str) == [None, None, "x"]
    ingest(warehouse, [one], "replace")
    with warehouse.snapshot(RAW) as source:
        assert (source.rows, "Note" in source.schema.names) == (2, False)
    assert {file.name for file in tmp_path.glob("*.*")} == {"one.csv", "more.csv"}


def test_a_file_that_is_refused_leaves_the_warehouse_as_it_was(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    ingest(warehouse, [csv(tmp_path, "a.csv", LINES[0] + ",x", header=f"{HEADER},Note")])
    before = warehouse.tables(), warehouse.version(RAW)
    good, bad = csv(tmp_path, "good.csv", LINES[1]), csv(tmp_path, "bad.csv", "x" + LINES[0])
    with pytest.raises(BadInput, match=r"bad.csv, line 2, column Flight Date: 'x2013-01-07' is"):
        ingest(warehouse, [good, bad], "replace")
    numbers = pa.table({name: ["2013-01-07"] for name in HEADER.split(",")[:4]})
    numbers = numbers.append_column("Departure Delay Minutes", [[1]])
    numbers = numbers.append_column("Arrival Delay Minutes", [[1]])
    path = tmp_path / "types.parquet"
    pa.parquet.write_table(numbers.append_column("note", [[1]]), path)
    with pytest.raises(BadInput, match=rf"column note is BIGINT, but \w+ in {RAW}"):
        ingest(warehouse, [path], "append")
    assert before == (warehouse.tables(), warehouse.version(RAW))


def test_files_of_a_raw_table_that_somebody_dropped_are_ingested_again(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = csv(tmp_path, "a.csv", *LINES)
    ingest(warehouse, [path])
    with warehouse.change() as change:
        change.drop(RAW)
    for mode in (None, "replace", "months"):
        (again,) = ingest(warehouse, [path], mode)
        assert (again.new, again.rows) == (mode is None, 2)
    with warehouse.snapshot(RAW) as source:
        assert source.rows == 2


def test_a_file_that_is_written_while_it_is_read_is_refused(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = csv(tmp_path, "growing.csv", *LINES)

    def write_on(*_: object) -> None:
        with path.open("a") as file:
            file.write(f"{LINES[0]}\n")

    with pytest.raises(BadInput, match="it changed while it was read") as refused:
        ingest(warehouse, [path], progress=write_on)
    assert "no program writes to it" in refused.value.advice
    assert RAW not in warehouse.tables()
    assert ingest(warehouse, [path])[0].rows == 3


def test_the_printed_model_fits_its_table(warehouse: Warehouse, kind: str) -> None:
    odd = pa.table({"Class": ["x"], "class_": [1], "2nd Time": [datetime(2024, 1, 1)], "Id": [1]})
    for table, expected in ((f"types_{kind}", table_of(TYPES)), (f"odd_{kind}", odd)):
        put(warehouse, table, expected)
        with warehouse.snapshot(table) as source:
            model = printed(inspection.model(table, source))
            schema = columns.schema(model)
            assert columns.check(schema, source.schema, table).names == expected.schema.names
        nulls = [name for name in expected.column_names if expected[name].null_count]
        assert [field.name for field in schema if field.nullable] == nulls
        assert [problem.msg for problem in model.check() if "2nd_Time" not in problem.msg] == []


def test_the_model_of_a_table_with_awkward_names_is_valid_python(
    warehouse: Warehouse, kind: str
) -> None:
    table = f"2024_flights_{kind}"
    put(warehouse, table, pa.table({"Sequence": [1], "Full Clean": ["x"]}))
    with warehouse.snapshot(table) as source:
        model = printed(inspection.model(table, source))
    assert model._meta.db_table == table
    assert [field.column for field in model.columns()] == ["Sequence", "Full_Clean"]
    assert [field.name for field in model.sequence()] == ["column_sequence", "id"]


@pytest.mark.parametrize("kind", ["links"], indirect=True)
def test_a_comment_of_several_lines_is_one_line_in_the_model(
    warehouse: Warehouse, kind: str
) -> None:
    table = f"commented_{kind}"
    put(warehouse, table, pa.table({"day": [1]}))
    with warehouse.change() as change:
        change.execute(f"COMMENT ON COLUMN {table}.day IS 'the day\rof the flight'")
    with warehouse.snapshot(table) as source:
        model = printed(inspection.model(table, source))
    assert model.columns()[0].help_text == "the day of the flight"


def printed(module: str) -> type[MirroredTable]:
    """Execute a printed module and return its class."""
    namespace: dict[str, Any] = {"__name__": "flights.printed"}
    exec(compile(module, "printed", "exec"), namespace)  # noqa: S102  # the test is about this code
    assert all(len(line) <= 100 for line in module.splitlines())
    return next(
        value
        for name, value in namespace.items()
        if isinstance(value, type) and issubclass(value, MirroredTable) and name != "MirroredTable"
    )
