"""`manage.py ingest`: which records it accepts, and how it reports the others."""

import contextlib
import gzip
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from transfers import demo
from transfers.exceptions import SourceMissing, WarehouseError
from transfers.ingest import files, plan
from transfers.ingest.compressed import UnpackLimit
from transfers.ingest.raw_columns import COLUMNS
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Warehouse, connect

NAMES = [
    "Flight Date",
    "Airline Name",
    "Origin City",
    "Destination City",
    "Departure Delay Minutes",
    "Arrival Delay Minutes",
]
HEADER = ",".join(NAMES)
ROW = '2013-01-07,Alpha,"Casper, WY","Denver, CO",10,-5'
MINUTES = "Write whole minutes, or leave it empty (or NA) for a cancelled flight."

type Ingest = Callable[..., str]


@pytest.fixture
def warehouse(tmp_path: Path, settings: Settings) -> Warehouse:
    """An empty warehouse, which commands use too."""
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}/warehouse"
    return connect(settings.WAREHOUSE_URL)


@pytest.fixture
def ingest(tmp_path: Path, warehouse: Warehouse) -> Iterator[Ingest]:
    """Run the command on files of these names, in a folder where it finds them."""

    def run(*names: str, **options: bool) -> str:
        out = io.StringIO()
        call_command("ingest", *names, stdout=out, **options)
        return out.getvalue()

    with contextlib.chdir(tmp_path):
        yield run


def write(name: str, *lines: str, header: str = HEADER) -> str:
    Path(name).write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return name


def refusal(ingest: Ingest, *names: str, **options: Any) -> str:
    with pytest.raises(CommandError) as refused:
        ingest(*names, **options)
    (line,) = str(refused.value).splitlines()
    return line


def batches(path: Path, columns: Path | None = None) -> Iterator[pa.RecordBatch]:
    """Read the records of a file as ingest does; BadInput if one breaks a rule."""
    planned = plan.read([path], columns)
    limit = UnpackLimit(path)
    for part, layout in planned.files[path].items():
        with files.open_records(part, layout, planned.lists, limit) as file:
            yield from file.batches


def raw(warehouse: Warehouse) -> list[dict[str, Any]]:
    with warehouse.snapshot(RAW) as snapshot:
        names = snapshot.schema.names
        batches = snapshot.batches(names, ["Flight_Date", "Airline_Name"])
        return [row for batch in batches for row in batch.to_pylist()]


def test_records_keep_their_values(ingest: Ingest, warehouse: Warehouse) -> None:
    lines = [
        '2013-01-01,A,"Casper, WY","Fort ""W""",12,-5.00,,""',
        "2013-01-02 00:00:00,B,X,Y,2.0,NA,é,0012",
        "",
        "2013-01-03,C,X,Y,,2147483647,a,b",
    ]
    header = f"\ufeff{HEADER},One,Two".replace("Airline Name", "airline_name")
    assert "3 records added" in ingest(write("f.csv", *lines, header=header))
    with warehouse.snapshot(RAW) as snapshot:
        types = [pa.date32(), *[pa.string()] * 3, pa.int32(), pa.int32(), *[pa.string()] * 2]
        names = [*(name.replace(" ", "_") for name in NAMES), "One", "Two"]
        assert snapshot.schema == pa.schema(
            (COLUMNS | dict(zip(names, types, strict=True))).items()
        )
    assert [[row[name] for name in names] for row in raw(warehouse)] == [
        [date(2013, 1, 1), "A", "Casper, WY", 'Fort "W"', 12, -5, None, ""],
        [date(2013, 1, 2), "B", "X", "Y", 2, None, "é", "0012"],
        [date(2013, 1, 3), "C", "X", "Y", None, 2147483647, "a", "b"],
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_no_record_is_lost_where_a_large_file_is_cut(
    ingest: Ingest, warehouse: Warehouse, end: str
) -> None:
    city = "Zürich, " * 40
    lines = [HEADER, *[f'2013-01-07,A,"{city}Z",Z,1,2'] * 30_000, ""]  # 11 MB
    Path("f.csv").write_text(end.join(lines), encoding="utf-8", newline="")
    ingest("f.csv")
    assert Counter(row["Origin_City"] for row in raw(warehouse)) == {f"{city}Z": 30_000}


def test_every_kind_of_file_gives_the_same_records(ingest: Ingest, warehouse: Warehouse) -> None:
    content = f"{HEADER},\r\n{ROW},\r\n".encode()  # files of the DOT end each line with a comma
    Path("a.csv").write_bytes(content)
    Path("b.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile("c.zip", "w") as archive:
        archive.writestr("readme.html", "")
        archive.writestr("c.csv", content)
    row = [datetime(2013, 1, 7), "Alpha", "Casper, WY", "Denver, CO", 10.0, "-5"]
    pq.write_table(pa.table(dict(zip(NAMES, [[v] for v in row], strict=True))), "d.parquet")
    ingest("a.csv")
    (expected,) = raw(warehouse)
    for name in ("b.csv.gz", "c.zip", "d.parquet"):
        ingest(name, replace=True)
        assert raw(warehouse) == [expected]


def test_further_parquet_columns_keep_their_types(ingest: Ingest, warehouse: Warehouse) -> None:
    row = dict(zip(NAMES, [[v] for v in ("2013-01-07", "A", "X", "Y", 1, None)], strict=True))
    text = pa.array(["x"]).dictionary_encode()
    pq.write_table(pa.table({**row, "Miles": [719.5], "Code": text, "None": [None]}), "f.parquet")
    ingest("f.parquet")
    with warehouse.snapshot(RAW) as snapshot:
        assert snapshot.schema.types[len(COLUMNS) :] == [pa.float64(), pa.string(), pa.string()]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        (4, "abc", f"'abc' is not a number of minutes. {MINUTES}"),
        (4, "12.5", f"'12.5' is not a number of minutes. {MINUTES}"),
        (5, "inf", f"'inf' is not a number of minutes. {MINUTES}"),
        (5, "0x1F", f"'0x1F' is not a number of minutes. {MINUTES}"),
        (5, "2147483648", f"'2147483648' is out of range. {MINUTES}"),
        (0, "2013-02-29", "'2013-02-29' is not in the calendar. Write it as YYYY-MM-DD."),
        (0, "01/07/2013", "'01/07/2013' is not a date. Write it as YYYY-MM-DD."),
        (0, "2013-01-07 06:59:00", "'2013-01-07 06:59:00' is not a date. Write it as YYYY-MM-DD."),
        (0, "", "'' is not a date. Write it as YYYY-MM-DD."),
        (1, '""', "'' is empty. Every record needs an airline and both cities."),
        (3, " ", "' ' is empty. Every record needs an airline and both cities."),
        (2, "a\0b", r"'a\x00b' contains a NUL character. Remove it."),
    ],
)
def test_a_bad_value_names_file_line_and_column(
    ingest: Ingest, column: int, value: str, problem: str
) -> None:
    good = '2013-01-07,"Al,pha",X,Y,1,2\n'  # and an empty line
    bad = ["2013-01-07", "Alpha", "X", "Y", "1", "2"]
    bad[column] = value
    write("flights.csv", *[good] * 7, "", ",".join(bad), "2013-99-99,,,,x,y")
    place = f"flights.csv, line 17, column {NAMES[column]}: "
    assert refusal(ingest, "flights.csv") == place + problem


def test_a_line_far_into_a_large_file_is_found(ingest: Ingest) -> None:
    write("f.csv", *[ROW] * 250_000, ROW + "x", *[ROW] * 1000)
    assert refusal(ingest, "f.csv").startswith("f.csv, line 250002, column Arrival Delay Minutes:")


def test_a_bad_parquet_value_names_its_row(ingest: Ingest) -> None:
    table = pa.table({name: ["2013-01-07"] * 17 for name in NAMES[:4]})
    table = table.append_column(NAMES[4], [[1.0] * 16 + [float("nan")]])
    pq.write_table(table.append_column(NAMES[5], [[0] * 17]), "f.parquet")
    place = "f.parquet, row 17, column Departure Delay Minutes: "
    assert refusal(ingest, "f.parquet") == f"{place}'nan' is not a number of minutes. {MINUTES}"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "f.csv: the file is empty."),
        (b"\n\n", "f.csv: the file is empty."),
        (f"\n{HEADER}\n{ROW}\n".encode(), "f.csv, line 1: no column names."),
        (f"{HEADER}\n".encode(), "f.csv: no records."),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "f.csv, line 1: not UTF-8."),
        (f"{HEADER}\n{ROW}\n".encode("utf-16"), "f.csv, line 1: not UTF-8."),
        (f"{HEADER}\n{ROW}\nZ\x81rich,".encode("latin-1"), "f.csv, line 3: not UTF-8. Save the"),
        (f"{HEADER}\n{ROW}\né".encode() + b"\xfc,", "f.csv, line 3: not UTF-8. Save the"),
        (f"{HEADER}\n{ROW}\n{ROW},7\n".encode(), "f.csv, line 3: 7 values, but the header names 6"),
        (f'{HEADER}\n{ROW}\n"20'.encode(), "f.csv, line 3: a quote is not closed in its line."),
        (
            f"{HEADER}\n{ROW}\n{'x' * 9_000_000}".encode(),
            "f.csv, line 3: the line is longer than 131,072",
        ),
        (f"{HEADER},\n{ROW},\n{ROW},x\n".encode(), "f.csv, line 3: 'x' is in a column without"),
        (f"{HEADER},flight_date\n".encode(), "f.csv: columns 'Flight Date' and 'flight_date' both"),
        (
            b"Flight Date;Airline Name;x\n",
            "f.csv: no column Flight Date, Airline Name, Origin City, Destination City,"
            " Departure Delay Minutes, Arrival Delay Minutes."
            " Its columns are Flight Date;Airline Name;x.",
        ),
    ],
)
def test_a_bad_csv_file_is_refused_in_one_line(ingest: Ingest, content: bytes, says: str) -> None:
    Path("f.csv").write_bytes(content)
    assert refusal(ingest, "f.csv").startswith(says)


def test_a_file_that_cannot_be_read_is_refused_in_one_line(ingest: Ingest) -> None:
    packed = gzip.compress(os.urandom(99_999))
    Path("cut.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{ROW}\n".encode() * 999)[:-20])
    Path("flipped.gz").write_bytes(packed[:5000] + b"\0\0\0\0" + packed[5004:])
    for name in ("no.zip", "no.gz", "no.parquet", "no.xlsx"):
        Path(name).write_bytes(b"no")
    with zipfile.ZipFile("two.zip", "w") as archive:
        archive.writestr("a.csv", f"{HEADER}\n{ROW}\n")
        archive.writestr("in/b.csv", "")
    with zipfile.ZipFile("none.zip", "w") as archive:
        archive.writestr("readme.html", "")
    with zipfile.ZipFile("odd.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a\nb.csv", f"{HEADER}\n{ROW}\n")
    Path("folder.csv").mkdir()
    Path("folder").mkdir()
    os.mkfifo("folder/pipe.csv")
    assert refusal(ingest, "none.csv") == "none.csv: cannot be read: No such file or directory."
    assert "folder.csv: the folder has no CSV or Parquet file." in refusal(ingest, "folder.csv")
    for name in ("folder", "folder/pipe.csv"):
        assert "folder/pipe.csv: not a regular file. Write" in refusal(ingest, name)
    assert "not a zip file" in refusal(ingest, "no.zip")
    assert "Not a gzipped file" in refusal(ingest, "no.gz")
    assert "no.parquet: cannot be read: " in refusal(ingest, "no.parquet")
    assert "ends in .csv, .gz, .zip, .parquet." in refusal(ingest, "no.xlsx")
    assert refusal(ingest, "two.zip") == "two.zip, in/b.csv: the file is empty."
    assert "odd.zip: a b.csv uses compression method 12" in refusal(ingest, "odd.zip")
    assert "none.zip: it contains readme.html. Use" in refusal(ingest, "none.zip")
    assert "cut.csv.gz: cannot be read: " in refusal(ingest, "cut.csv.gz")
    assert "flipped.gz" in refusal(ingest, "flipped.gz")


def test_one_bad_file_stops_the_whole_ingest(ingest: Ingest, warehouse: Warehouse) -> None:
    refusal(ingest, write("good.csv", ROW), write("bad.csv", "x" + ROW))
    with pytest.raises(SourceMissing, match="no table"):
        warehouse.version(RAW)
    ingest("good.csv")
    before = warehouse.version(RAW), os.stat("warehouse/warehouse.duckdb").st_ino
    refusal(ingest, write("more.csv", ROW, ROW), "bad.csv", append=True)
    assert before == (warehouse.version(RAW), os.stat("warehouse/warehouse.duckdb").st_ino)
    assert sorted(os.listdir("warehouse")) == ["warehouse.duckdb", "writer.lock"]


def test_the_same_file_again_changes_nothing(ingest: Ingest, warehouse: Warehouse) -> None:
    ingest(write("a.csv", ROW))
    before = warehouse.version(RAW), os.stat("warehouse/warehouse.duckdb").st_ino
    Path("same.csv").write_bytes(Path("a.csv").read_bytes())
    for options in ({}, {"append": True}, {"replace": True}):
        assert "same.csv: 1 records, already in the warehouse" in ingest("same.csv", **options)
    assert before == (warehouse.version(RAW), os.stat("warehouse/warehouse.duckdb").st_ino)


def test_different_records_require_append_or_replace(ingest: Ingest, warehouse: Warehouse) -> None:
    ingest(write("a.csv", ROW))
    says = "The warehouse has 1 other records. Use --append to keep them or --replace to delete"
    assert refusal(ingest, write("b.csv", "2013-01-08,Beta,X,Y,1,1")).startswith(says)
    ingest("b.csv", append=True)
    assert [row["Airline_Name"] for row in raw(warehouse)] == ["Alpha", "Beta"]
    ingest("b.csv", replace=True)
    assert [row["Airline_Name"] for row in raw(warehouse)] == ["Beta"]


def test_appended_files_may_have_other_columns_but_not_other_types(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    ingest(write("a.csv", ROW + ",x", header=HEADER + ",One"))
    ingest(write("b.csv", ROW + ",y", header=HEADER + ",Two"), append=True)
    assert [(row["One"], row["Two"]) for row in raw(warehouse)] == [("x", None), (None, "y")]
    table = pa.table({name: ["2013-01-07"] for name in NAMES[:4]} | {n: [1] for n in NAMES[4:]})
    pq.write_table(table.append_column("one", [[1]]), "c.parquet")
    says = f"c.parquet: column one is BIGINT, but VARCHAR in {RAW}. Replace all records"
    assert refusal(ingest, "c.parquet", append=True).startswith(says)


def test_a_second_writer_is_refused_while_another_runs(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    write("a.csv", ROW)
    with warehouse.change():
        assert "is being changed by another process. Try again" in refusal(ingest, "a.csv")
    ingest("a.csv")


def test_a_killed_writer_leaves_nothing_behind(
    ingest: Ingest, warehouse: Warehouse, tmp_path: Path
) -> None:
    ingest(write("a.csv", ROW))
    code = f"""
import os, signal
from transfers.warehouses import connect
with connect("duckdb://{tmp_path}/warehouse").change() as change:
    change.drop("{RAW}")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root)
    assert done.returncode == -signal.SIGKILL
    (scratch,) = Path("warehouse").glob("scratch-*")
    os.utime(scratch, (0, 0))  # a new one may belong to a process that has yet to lock it
    assert list(Path("warehouse").glob("next-*"))
    assert len(raw(warehouse)) == 1
    ingest(write("b.csv", ROW, ROW), append=True)
    assert len(raw(warehouse)) == 3
    assert sorted(os.listdir("warehouse")) == ["warehouse.duckdb", "writer.lock"]


def test_a_reader_keeps_its_version_while_others_publish(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    ingest(write("a.csv", ROW))
    with warehouse.snapshot(RAW) as before:
        batches = before.batches(["Airline_Name"], ["-Airline_Name"])
        ingest(write("b.csv", "2013-01-08,Beta,X,Y,1,1"), append=True)
        assert [row for batch in batches for row in batch.to_pylist()] == [
            {"Airline_Name": "Alpha"}
        ]
        with warehouse.snapshot(RAW) as after:
            assert (before.rows, after.rows) == (1, 2)
            assert before.version != after.version == warehouse.version(RAW)


def test_batches_are_sorted_with_nulls_where_postgresql_has_them(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    delays = ["7", "NA", "-3", "40"]
    ingest(write("a.csv", *(f"2013-01-07,A,X,Y,{delay},0" for delay in delays)))
    name = "Departure_Delay_Minutes"
    with warehouse.snapshot(RAW) as snapshot:
        up, down = (
            pa.Table.from_batches(snapshot.batches([name], [order]))[name].to_pylist()
            for order in (name, f"-{name}")
        )
    assert up == [-3, 7, 40, None]
    assert down == up[::-1]


def test_the_demo_file_is_whole_and_always_the_same(tmp_path: Path) -> None:
    one, two = demo.make(tmp_path / "one"), demo.make(tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()
    flights = pq.read_table(one)
    assert flights.num_rows == 336_776
    assert flights.column_names[:6] == NAMES
    assert [flights[name].null_count for name in NAMES] == [0, 0, 0, 0, 8255, 9430]


def test_an_unknown_warehouse_is_refused_with_the_cure() -> None:
    with pytest.raises(WarehouseError, match="'mysql://x' is not the URL of") as refused:
        connect("mysql://x")
    assert "duckdb:///folder" in refused.value.advice
