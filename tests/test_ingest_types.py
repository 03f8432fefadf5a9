"""How ingest converts each Arrow and Parquet type, unifies text and warns of implausible delays."""

import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.platform import Platform
from tests.test_ingest import (
    HEADER,
    NAMES,
    ROW,
    Ingest,
    ingest,
    raw,
    refusal,
    warehouse,
    write,
)
from transfers import tasks
from transfers.ingest.layout import BadColumns
from transfers.ingest.names import Lists, Namer
from transfers.ingest.raw_table import RAW
from transfers.ingest.recognition import recognize
from transfers.ingest.records import Converter
from transfers.models import WarehouseJob
from transfers.warehouses import Warehouse

__all__ = ["ingest", "warehouse"]  # fixtures

NUMBERS = "a whole, floating-point or decimal number of minutes, a duration, or text"
MINUTES = "Write whole minutes, or leave it empty (or NA) for a cancelled flight."


def parquet(name: str, **columns: pa.Array) -> str:
    """Write a Parquet file of records; `columns` replaces or adds columns."""
    rows = max((len(column) for column in columns.values()), default=1)
    texts = dict.fromkeys(NAMES, pa.array(["2013-01-07"] * rows))
    delays = dict.fromkeys(NAMES[4:], pa.array([1] * rows))
    renamed = {key.replace("_", " "): column for key, column in columns.items()}
    pq.write_table(pa.table({**texts, **delays, **renamed}), name)
    return name


def scalar(value: Any, type_: pa.DataType) -> pa.Array:
    return pa.array([value, None], type_)


DELAYS = [  # minutes, and what ingest keeps of them
    *[(scalar(5, type_), 5) for type_ in (pa.int8(), pa.int16(), pa.int32(), pa.int64())],
    *[(scalar(5, type_), 5) for type_ in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())],
    *[(scalar(-5.0, type_), -5) for type_ in (pa.float16(), pa.float32(), pa.float64())],
    *[(scalar(300, pa.duration("s")), 5), (scalar(-300_000, pa.duration("ms")), -5)],
    *[(scalar(420_000_000, pa.duration("us")), 7), (scalar(0, pa.duration("us")), 0)],
    (scalar(300_000_000_000, pa.duration("ns")), 5),
    (scalar(Decimal("-5.00"), pa.decimal32(5, 2)), -5),
    (scalar(Decimal("5.00"), pa.decimal64(12, 2)), 5),
    (scalar(Decimal("5.00"), pa.decimal128(12, 2)), 5),
    (scalar(Decimal("5"), pa.decimal256(50, 0)), 5),
    *[(scalar("5", type_), 5) for type_ in (pa.string(), pa.large_string(), pa.string_view())],
    (scalar("5", pa.string()).dictionary_encode(), 5),
    (pa.nulls(2), None),
]


def test_delays_of_every_type_keep_their_minutes(ingest: Ingest, warehouse: Warehouse) -> None:
    """Ingests a file of each type."""
    files = enumerate(minutes for minutes, _ in DELAYS)
    ingest(*(parquet(f"{n}.parquet", **airline(n), Departure_Delay_Minutes=m) for n, m in files))
    delays = [(row["Airline_Name"], row["Departure_Delay_Minutes"]) for row in raw(warehouse)]
    kept = [(f"Airline {n}", v) for n, (_, minutes) in enumerate(DELAYS) for v in (minutes, None)]
    assert sorted(delays, key=str) == sorted(kept, key=str)


def airline(number: int) -> dict[str, pa.Array]:
    return {"Airline_Name": pa.array([f"Airline {number}"] * 2)}


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        (scalar(90, pa.duration("s")), f"'90' s is not a whole number of minutes. {MINUTES}"),
        (scalar(1, pa.duration("ns")), f"'1' ns is not a whole number of minutes. {MINUTES}"),
        (scalar(5.5, pa.float32()), f"'5.5' is not a number of minutes. {MINUTES}"),
        (scalar(float("nan"), pa.float64()), f"'nan' is not a number of minutes. {MINUTES}"),
        (
            scalar(Decimal("5.5"), pa.decimal128(9, 1)),
            f"'5.5' is not a number of minutes. {MINUTES}",
        ),
        (scalar(2**31, pa.int64()), f"'2147483648' is out of range. {MINUTES}"),
        (scalar(2**64 - 1, pa.uint64()), f"'18446744073709551615' is out of range. {MINUTES}"),
    ],
)
def test_delays_that_are_not_whole_minutes_are_refused(
    ingest: Ingest, minutes: pa.Array, says: str
) -> None:
    place = "f.parquet, row 1, column Departure Delay Minutes: "
    name = parquet("f.parquet", Departure_Delay_Minutes=minutes)
    assert refusal(ingest, name) == place + says


@pytest.mark.parametrize(
    ("column", "values", "advice"),
    [
        (4, scalar(True, pa.bool_()), NUMBERS),
        (5, scalar(time(0, 5), pa.time64("us")), NUMBERS),
        (5, scalar(time(0, 5), pa.time32("ms")), NUMBERS),
        (5, scalar(date(2013, 1, 7), pa.date32()), NUMBERS),
        (5, scalar(datetime(2013, 1, 7), pa.timestamp("us")), NUMBERS),
        (5, scalar(b"5", pa.binary()), NUMBERS),
        (5, scalar([5], pa.list_(pa.int64())), NUMBERS),
        (0, scalar(20130107, pa.int64()), "a date, a timestamp without a time zone, or text"),
        (
            0,
            scalar(datetime(2013, 1, 7), pa.timestamp("us", "UTC")),
            "a date, a timestamp without a time zone, or text",
        ),
        (1, scalar(7, pa.int64()), "text"),
        (1, scalar(b"Alpha", pa.binary()), "text"),
        (2, scalar({"a": 1}, pa.struct([("a", pa.int64())])), "text"),
    ],
)
def test_a_required_column_of_another_type_is_refused_by_name(
    ingest: Ingest, column: int, values: pa.Array, advice: str
) -> None:
    type_ = str(values.type).replace("item", "element")  # Parquet's word
    says = f"f.parquet: column {NAMES[column]} is of type {type_}. Store it as {advice}."
    name = parquet("f.parquet", **{NAMES[column].replace(" ", "_"): values})
    assert refusal(ingest, name) == says


@pytest.mark.parametrize("type_", [pa.date32(), pa.timestamp("ms"), pa.timestamp("ns")])
def test_dates_and_midnights_are_dates(
    ingest: Ingest, warehouse: Warehouse, type_: pa.DataType
) -> None:
    ingest(parquet("f.parquet", Flight_Date=pa.array([date(2013, 1, 7)]).cast(type_)))
    assert raw(warehouse)[0]["Flight_Date"] == date(2013, 1, 7)


def test_a_date_with_a_time_of_day_is_refused(ingest: Ingest) -> None:
    dates = pa.array([datetime(2013, 1, 7, 6, 59)], pa.timestamp("ms"))
    says = refusal(ingest, parquet("f.parquet", Flight_Date=dates))
    assert "row 1, column Flight Date: '2013-01-07 06:59:00.000' is not a date." in says


FURTHER = [  # value and type in the file, type and value in the warehouse
    (True, pa.bool_(), pa.bool_(), True),
    (-1, pa.int8(), pa.int8(), -1),
    (255, pa.uint8(), pa.int16(), 255),
    (65_535, pa.uint16(), pa.int32(), 65_535),
    (2**32 - 1, pa.uint32(), pa.int64(), 2**32 - 1),
    (2**64 - 1, pa.uint64(), pa.decimal128(20, 0), Decimal(2**64 - 1)),
    (0.5, pa.float16(), pa.float32(), 0.5),
    (0.5, pa.float64(), pa.float64(), 0.5),
    (Decimal("1.50"), pa.decimal32(5, 2), pa.decimal128(5, 2), Decimal("1.50")),
    (Decimal("1.50"), pa.decimal256(38, 2), pa.decimal128(38, 2), Decimal("1.50")),
    (time(6, 59), pa.time32("ms"), pa.string(), "06:59:00.000"),
    (time(6, 59, 1, 2), pa.time64("us"), pa.string(), "06:59:01.000002"),
    (date(2013, 1, 7), pa.date32(), pa.date32(), date(2013, 1, 7)),
    (datetime(2013, 1, 7, 1), pa.timestamp("ns"), pa.timestamp("us"), datetime(2013, 1, 7, 1)),
    (
        datetime(2013, 1, 7, 1, tzinfo=UTC),
        pa.timestamp("ms", "Europe/Paris"),
        pa.timestamp("us", "UTC"),
        datetime(2013, 1, 7, 1, tzinfo=UTC),
    ),
    (b"\xff", pa.large_binary(), pa.binary(), b"\xff"),
    ("x", pa.string_view(), pa.string(), "x"),
    ("x", pa.large_string(), pa.string(), "x"),
]


def test_further_columns_keep_their_values(ingest: Ingest, warehouse: Warehouse) -> None:
    names = [f"More{number}" for number in range(len(FURTHER))]
    columns = [scalar(value, type_) for value, type_, *_ in FURTHER]
    ingest(parquet("f.parquet", **dict(zip(names, columns, strict=True))))
    rows = raw(warehouse)
    with warehouse.snapshot(RAW) as snapshot:
        types = [snapshot.schema.field(name).type for name in names]
    assert types == [type_ for *_, type_, _ in FURTHER]
    kept = [{row[name] for row in rows} for name in names]
    assert kept == [{value, None} for *_, value in FURTHER]


@pytest.mark.parametrize(
    "values",
    [
        scalar(300, pa.duration("s")),
        scalar([1], pa.list_(pa.int64())),
        scalar({"a": 1}, pa.struct([("a", pa.int64())])),
        scalar(b"1234", pa.binary(4)),
        scalar(Decimal(1), pa.decimal256(39, 0)),
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16))),
    ],
    ids=lambda values: str(values.type),
)
def test_a_further_column_that_no_table_holds_is_refused_by_name(
    ingest: Ingest, values: pa.Array
) -> None:
    type_ = str(values.type).replace("item", "element")  # Parquet's word
    says = f"f.parquet: column More is of type {type_}. Remove it, or store it as text, bytes,"
    assert refusal(ingest, parquet("f.parquet", More=values)).startswith(says)


def test_a_timestamp_that_would_lose_digits_is_refused(ingest: Ingest) -> None:
    stamps = pa.array([0, 1_000, 1_001], pa.timestamp("ns"))
    says = refusal(ingest, parquet("f.parquet", More=stamps))
    place = "f.parquet, row 3, column More: '1970-01-01 00:00:00.000001001'"
    assert says == (
        f"{place} does not fit timestamp[us] exactly. Store it with less precision, or as text."
    )


EVERY_TYPE = [
    *[pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8()],
    *[pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()],
    *[pa.decimal32(5, 2), pa.decimal64(9, 2), pa.decimal128(38, 2), pa.decimal256(76, 2)],
    *[pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()],
    *[pa.binary_view(), pa.binary(4), pa.date32(), pa.date64(), pa.timestamp("s", "UTC")],
    *[pa.time32("s"), pa.time64("ns"), pa.duration("s"), pa.month_day_nano_interval()],
    *[pa.list_(pa.int8()), pa.large_list(pa.int8()), pa.list_(pa.int8(), 2)],
    *[pa.list_view(pa.int8()), pa.large_list_view(pa.int8()), pa.struct([("a", pa.int8())])],
    *[pa.map_(pa.string(), pa.int8()), pa.sparse_union([]), pa.dense_union([])],
    *[pa.dictionary(pa.int8(), pa.string()), pa.run_end_encoded(pa.int32(), pa.string())],
    *[pa.uuid()],
]


def test_every_arrow_type_is_accepted_or_refused() -> None:
    ids = {type_.id for type_ in EVERY_TYPE}
    missing = {n for n in dir(pa.lib) if n.startswith("Type_") and getattr(pa.lib, n) not in ids}
    # Python cannot make these two.
    assert missing == {"Type_INTERVAL_MONTHS", "Type_INTERVAL_DAY_TIME"}
    for type_ in EVERY_TYPE:
        assert decision(type_) in ("kept", f"column More is of type {type_}.")


def decision(type_: pa.DataType) -> str:
    required = [pa.date32(), *[pa.string()] * 3, pa.int32(), pa.int32()]
    try:
        layout = recognize([[*NAMES, "More"]], is_text=False)
        assert Converter(layout, [*required, type_], Namer(Lists({}, {}, {}))).schema
    except BadColumns as error:
        return str(error)
    return "kept"


def test_unicode_normalization_applies_to_names_and_values(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    composed = "Aéro Zürich"
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart
    lines = [f"2013-01-07,{name},\u00a0X\t, Y ,1,2,{name}" for name in (composed, apart)]
    ingest(write("f.csv", *lines, header=f"{HEADER},{apart}"))
    texts = {"Airline_Name": pa.array([apart]), "Café": pa.array([apart])}
    ingest(parquet("f.parquet", **texts), append=True)
    rows = raw(warehouse)
    assert [row["Airline_Name"] for row in rows] == [composed] * 3
    assert {row["Origin_City"] + row["Destination_City"] for row in rows} >= {"XY"}
    assert {row["Aéro_Zürich"] for row in rows} == {composed, None}
    assert {row["Café"] for row in rows} == {composed, None}


def test_column_names_that_normalize_to_the_same_name_are_refused(ingest: Ingest) -> None:
    header = f"{HEADER},Café,{unicodedata.normalize('NFD', 'Café')}"
    assert "both become Café" in refusal(ingest, write("f.csv", f"{ROW},1,2", header=header))


def test_implausible_delays_are_ingested_with_a_warning(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    delays = ["-1440,10080", "", "-1441,NA", "2147483647,1", ",10081"]
    lines = [f"2013-01-07,A,X,Y,{delay}" if delay else "" for delay in delays]
    warnings = ingest(write("f.csv", *lines))
    outside = "implausible delays (outside -1,440 to 10,080 minutes), the first"
    message = "They are ingested unchanged."
    assert warnings.splitlines()[-4:-1] == [
        "f.csv: 4 records",
        f"Warning: f.csv, column Departure Delay Minutes: 2 {outside} -1,441 in line 4. {message}",
        f"Warning: f.csv, column Arrival Delay Minutes: 1 {outside} 10,081 in line 6. {message}",
    ]
    assert len(raw(warehouse)) == 4
    assert "Warning" not in ingest("f.csv")


def test_implausible_delays_of_parquet_name_their_row(ingest: Ingest) -> None:
    delays = pa.array([0] * 70_000 + [99_999])
    warnings = ingest(parquet("f.parquet", Arrival_Delay_Minutes=delays))
    assert "Warning: f.parquet, column Arrival Delay Minutes: 1 implausible delays" in warnings
    assert "the first 99,999 in row 70001." in warnings


def test_a_job_of_the_admin_shows_the_warnings(demo: Platform, warehouse: Warehouse) -> None:
    content = f"{HEADER}\n2013-01-07,A,X,Y,2147483647,1\n".encode()
    file = SimpleUploadedFile("odd.csv", content)
    job = WarehouseJob.objects.create(kind="append", asked_by="a test", file=file, name="odd.csv")
    tasks.job(job.pk)
    job.refresh_from_db()
    assert job.outcome.splitlines() == [
        "odd.csv: 1 records added",
        "Warning: odd.csv, column Departure Delay Minutes: 1 implausible delays (outside -1,440 to"
        " 10,080 minutes), the first 2,147,483,647 in line 2. They are ingested unchanged.",
    ]
