"""Which CSV files are refused, compared with Python's strict csv and DuckDB."""

import csv
import io
import random
from pathlib import Path

import duckdb
import pytest

from tests.test_ingest import HEADER, ROW, Ingest, batches, ingest, raw, refusal, warehouse, write
from transfers.exceptions import BadInput, SourceMissing
from transfers.ingest.raw_table import RAW
from transfers.warehouses import Warehouse

__all__ = ["ingest", "warehouse"]  # fixtures

OPEN = "a quote is not closed in its line. Close the quote, or remove it."
RECORD = "2013-01-07,Alpha,X,Y,1,2"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ('2013-01-07,"Alpha,X,Y,1,2', OPEN),
        ('2013-01-07,Alpha,"X,Y,1,2\n2013-01-08,Beta,"X",Y,1,2', OPEN),
        ('2013-01-07,Alpha,"Fort\nWorth",Y,1,2', OPEN),
        ('2013-01-07,Alpha,X,Y,1,"2', OPEN),
        ('2013-01-07,Alpha,X,Y,1,2"",3', "7 values, but the header names 6 columns."),
        ('2013-01-07,Alpha,"X"x,Y,1,2', "text follows a closing quote: 'x,Y,1,2'. Write a quote"),
        ('2013-01-07,Alpha,"X" ,Y,1,2', "text follows a closing quote: ' ,Y,1,2'. Write a quote"),
        ('2013-01-07,Alpha,"X"Y",Z,1,2', "text follows a closing quote: 'Y\",Z,1,2'."),
        (f"{RECORD}\r", "it ends with CR LF, but the first line with LF."),
        ("2013-01-07,Alpha,New\rYork,Y,1,2", "it ends with CR, but the first line with LF."),
    ],
)
def test_malformed_lines_are_refused_with_their_number(
    ingest: Ingest, warehouse: Warehouse, bad: str, says: str
) -> None:
    Path("f.csv").write_text("\n".join([HEADER, ROW, "", bad, *[ROW] * 9_999]), newline="")
    assert refusal(ingest, "f.csv").startswith(f"f.csv, line 4: {says}")
    with pytest.raises(SourceMissing):
        warehouse.version(RAW)


def test_a_file_that_is_cut_inside_a_quoted_value_is_refused(ingest: Ingest) -> None:
    Path("f.csv").write_text(f'{HEADER}\n{ROW}\n2013-01-07,A,X,"Denver, C')
    assert refusal(ingest, "f.csv").startswith(f"f.csv, line 3: {OPEN}")


def test_an_open_quote_far_into_a_large_file_is_found(ingest: Ingest, warehouse: Warehouse) -> None:
    ingest(write("a.csv", ROW))
    before = warehouse.version(RAW)
    write("f.csv", *[ROW] * 250_000, RECORD.replace("Y,", '"Y,'), *[ROW] * 100_000)
    assert refusal(ingest, "f.csv", append=True).startswith(f"f.csv, line 250002: {OPEN}")
    assert warehouse.version(RAW) == before


def test_a_bad_header_is_refused(ingest: Ingest) -> None:
    Path("f.csv").write_text(f'"{HEADER}\n{ROW}\n')
    assert refusal(ingest, "f.csv").startswith(f"f.csv, line 1: {OPEN}")


def test_the_first_of_several_faults_is_named(ingest: Ingest) -> None:
    write("f.csv", ROW, ROW + "x", ROW + ",7", '"', RECORD)
    assert refusal(ingest, "f.csv").startswith("f.csv, line 3, column Arrival Delay Minutes: '-5x'")
    write("f.csv", ROW, ROW + ",7", ROW + "x", '"', RECORD)
    assert refusal(ingest, "f.csv").startswith("f.csv, line 3: 7 values")
    write("f.csv", ROW, '"', ROW + ",7", ROW + "x", RECORD)
    assert refusal(ingest, "f.csv").startswith(f"f.csv, line 3: {OPEN}")


def test_quotes_are_text_in_a_value_that_begins_without_one(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    ingest(write("f.csv", '2013-01-07,The "A" Line,6" Hill,a""b,1,2'))
    (row,) = raw(warehouse)
    names = [row["Airline_Name"], row["Origin_City"], row["Destination_City"]]
    assert names == ['The "A" Line', '6" Hill', 'a""b']


def test_a_line_has_a_limit(ingest: Ingest, warehouse: Warehouse) -> None:
    ingest(write("f.csv", RECORD.replace("Alpha", "A" * (131_072 - len(RECORD) + 5))))
    assert len(raw(warehouse)[0]["Airline_Name"]) == 131_072 - len(RECORD) + 5
    write("g.csv", RECORD.replace("Alpha", "A" * (131_072 - len(RECORD) + 6)))
    says = "g.csv, line 2: the line is longer than 131,072 bytes. Check quotes and line endings, or"
    assert refusal(ingest, "g.csv", replace=True).startswith(says)


def test_columns_have_a_limit(ingest: Ingest) -> None:
    header = ",".join([HEADER, *(f"c{n}" for n in range(995))])
    says = "f.csv: 1,001 columns; at most 1,000 are allowed. Remove some, or raise INGEST_COLUMNS."
    assert refusal(ingest, write("f.csv", header=header)) == says


# AirSense's messages for wrong quotes or a wrong number of values.
STRUCTURE = ("quote", "values, but")
COLUMNS = [*HEADER.split(","), "Note", "Code"]


@pytest.mark.parametrize("count", [200, pytest.param(1_500, marks=pytest.mark.deep)])
def test_no_broken_file_is_accepted_that_python_or_duckdb_refuses(
    tmp_path: Path, count: int
) -> None:
    choice, path = random.Random(16), tmp_path / "f.csv"  # noqa: S311  # no secret
    counts = {"refused by others": 0, "refused": 0, "accepted alike": 0}
    with duckdb.connect() as connection:
        for number in range(count):
            path.write_text(broken(choice), newline="")
            python, duck, ours = by_python(path), by_duckdb(connection, path), by_airsense(path)
            details = f"{number}: {path.read_bytes()!r}\n{python}\n{duck}\n{ours}"
            if isinstance(python, str) or isinstance(duck, str):
                assert isinstance(ours, str), details
                counts["refused by others"] += 1
            elif isinstance(ours, str):
                counts["refused"] += 1
                breaks = any(set("\r\n") & set(value) for row in python for value in row)
                assert python != duck or breaks or not any(map(ours.count, STRUCTURE)), details
            elif python == duck:
                counts["accepted alike"] += 1
                assert ours == [_trimmed(row) for row in python], details
    assert min(counts.values()) > count / 15, counts


def _trimmed(row: list[str]) -> list[str]:
    """Strip the values of the six required columns; further columns keep their spaces."""
    return [*(value.strip() for value in row[:6]), *row[6:]]


def broken(choice: random.Random) -> str:
    """A file with up to three characters too many, too few or wrong; some are still well-formed."""
    end = choice.choice(["\n", "\n", "\r\n"])
    rows = [_row(choice) for _ in range(choice.randint(1, 6))]
    content = end.join([*rows, choice.choice(["", choice.choice(rows)])])
    for _ in range(choice.randint(0, 3)):
        place = choice.randrange(len(content) + 1)
        new = choice.choice(["", '"', '"', '""', ",", '","', "\n", end, end, "x", " "])
        content = content[:place] + new + content[place + choice.randint(0, 1) :]
    cut = choice.randrange(len(content) + 1) if choice.random() < 0.2 else len(content)
    return ",".join(COLUMNS) + end + content[:cut]


def _row(choice: random.Random) -> str:
    texts = ["Alpha", "Casper, WY", 'The "A" Line', "é", "a''b", ";", "\t"]
    values = ["2013-01-07", *choice.choices(texts, k=3), "10", "-5", *choice.choices(texts, k=2)]
    return ",".join(_written(choice, value) for value in values)


def _written(choice: random.Random, value: str) -> str:
    if "," in value or value.startswith('"') or choice.random() < 0.3:
        return '"' + value.replace('"', '""') + '"'
    return value


def by_python(path: Path) -> list[list[str]] | str:
    text = io.StringIO(path.read_bytes().decode(), newline="")
    try:
        return [row for row in csv.reader(text, strict=True) if row][1:]
    except csv.Error as error:
        return str(error)


def by_duckdb(connection: duckdb.DuckDBPyConnection, path: Path) -> list[list[str]] | str:
    columns = dict.fromkeys(COLUMNS, "VARCHAR")
    sql = (
        "FROM read_csv($path, strict_mode = true, auto_detect = false, header = true,"
        " delim = ',', quote = '\"', escape = '\"', columns = $columns)"
    )
    try:
        rows = connection.execute(sql, {"path": str(path), "columns": columns}).fetchall()
    except duckdb.Error as error:
        return str(error)
    return [[value or "" for value in row] for row in rows]


def by_airsense(path: Path) -> list[list[str]] | str:
    try:
        rows = [row for batch in batches(path) for row in batch.to_pylist()]
    except BadInput as error:
        return str(error)
    names = [name.replace(" ", "_") for name in COLUMNS]
    return [["" if row[name] is None else str(row[name]) for name in names] for row in rows]
