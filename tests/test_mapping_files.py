"""Files of unknown forms: `ingest --explain` guesses and writes a mapping, `--columns` reads it."""

from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError

from tests.test_forms import FOLDER, records
from tests.test_ingest import Ingest, ingest, raw, refusal, warehouse
from transfers.ingest import mapping
from transfers.warehouses import Warehouse

__all__ = ["ingest", "warehouse"]  # fixtures

ODD = """Flight day,Carier,Number,From,To,Dep Delay,Arr delay,note
9.4.2008,WN,1048,BDL,BWI,-3,4,x
10.4.2008,WN,1049,BDL,BWI,7,NA,y
"""


@pytest.fixture
def odd(ingest: Ingest) -> Path:
    Path("odd.csv").write_text(ODD)
    return Path("odd.csv")


def test_an_unknown_form_is_refused_with_guesses(ingest: Ingest, odd: Path) -> None:
    says = refusal(ingest, "odd.csv")
    assert says.startswith("odd.csv: no column FL_DATE (Flight Date), OP_UNIQUE_CARRIER (Airline")
    assert "Its columns are Flight day, Carier, Number, From, To, Dep Delay, Arr delay," in says
    assert "Carier looks like Airline Code. " in says
    assert says.endswith("`manage.py ingest --explain FILE` writes a mapping file, which --columns reads.")  # fmt: skip  # noqa: E501


def test_explain_writes_a_mapping_file_that_columns_accepts(
    ingest: Ingest, warehouse: Warehouse, odd: Path
) -> None:
    assert "odd.csv.mapping.toml is written. Edit it" in ingest("odd.csv", explain=True)
    assert warehouse.tables() == []
    content = Path("odd.csv.mapping.toml").read_text()
    assert 'Flight_Date = "Flight day"' in content
    assert '#   "note": "x"' in content
    report = ingest("odd.csv", columns=Path("odd.csv.mapping.toml"))
    assert report.startswith("odd.csv: odd.csv\n")
    first, second = raw(warehouse)
    assert (first["Flight_Date"], second["Flight_Date"]) == (date(2008, 4, 9), date(2008, 4, 10))
    assert first["Airline_Name"] == "Southwest Airlines Co."
    assert (first["Origin_City"], first["Destination_City"]) == ("Hartford, CT", "Baltimore, MD")
    assert (first["Departure_Delay_Minutes"], first["Arrival_Delay_Minutes"]) == (-3, 4)
    assert second["Arrival_Delay_Minutes"] is None
    assert "note" not in first


def test_explain_never_overwrites_a_file(ingest: Ingest, odd: Path) -> None:
    ingest("odd.csv", explain=True)
    Path("odd.csv.mapping.toml").write_text("mine")
    says = (
        "odd.csv.mapping.toml: exists already. Name another file by --mapping FILE, or remove it."
    )
    assert refusal(ingest, "odd.csv", explain=True) == says
    assert Path("odd.csv.mapping.toml").read_text() == "mine"
    ingest("odd.csv", explain=True, mapping=Path("other.toml"))
    assert mapping.read(Path("other.toml")).columns["Airline_Code"] == ("Carier",)


def test_a_mapping_of_a_file_without_a_header_names_columns_by_number(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    Path("f.csv").write_text(ODD.partition("\n")[2])
    ingest("f.csv", explain=True)
    path = Path("f.csv.mapping.toml")
    assert '"column 1", "column 2"' in path.read_text()
    columns = ("Airline_Code", "Flight_Number", "Origin", "Destination", "Departure_Delay_Minutes")
    text = path.read_text()
    for number, column in enumerate(columns, 2):
        text = text.replace(f'# {column} = ""', f'{column} = "column {number}"')
    path.write_text(text)
    ingest("f.csv", columns=path)
    assert [row["Flight_Number"] for row in raw(warehouse)] == ["1048", "1049"]


def test_lines_before_the_header_are_guessed_and_can_be_mapped(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    lines = (FOLDER / "T_ONTIME_REPORTING.csv").read_text().splitlines()
    Path("f.csv").write_text("\n".join(["Title, of it", "", "Airline: Southwest (WN)", *lines[:9]]))
    says = "f.csv: the header seems to be on line 4. Remove the lines before it, or use a mapping"
    assert refusal(ingest, "f.csv").startswith(says)
    ingest("f.csv", explain=True)
    assert "lines_before_header = 3" in Path("f.csv.mapping.toml").read_text()
    ingest("f.csv", columns=Path("f.csv.mapping.toml"))
    assert len(raw(warehouse)) == 8
    wrong = Path("f.csv").read_text().replace(",-", ",x")
    Path("f.csv").write_text(wrong)
    says = refusal(ingest, "f.csv", columns=Path("f.csv.mapping.toml"), replace=True)
    assert says.startswith("f.csv, line 5, column DEP_DELAY: 'x4.00' is not a number of minutes.")


@pytest.mark.parametrize(("mark", "words"), [(";", '";"'), ("\t", "tabs"), ("|", '"|"')])
def test_another_separator_is_named(ingest: Ingest, mark: str, words: str) -> None:
    Path("f.csv").write_text(ODD.replace(",", mark))
    says = refusal(ingest, "f.csv", explain=True)
    assert f"It seems to be separated by {words}: separate it by commas." in says
    assert not Path("f.csv.mapping.toml").exists()


def test_a_mapping_may_hold_values_lines_and_options(ingest: Ingest, tmp_path: Path) -> None:
    Path("f.toml").write_text(
        """
        date_formats = ["D/M/YYYY"]
        lines_before_header = 2
        end_of_rows = "End"
        zero_is_missing = [["Departure_Delay_Minutes"]]
        required = []
        keep_other_columns = true
        [columns]
        Flight_Date = "Day"
        Airline_Code = { value = "WN" }
        Origin = { line = "From" }
        Destination = ["Nowhere", "To"]
        Departure_Delay_Minutes = "Delay"
        """
    )
    Path("f.csv").write_text("From BDL\n\nDay,To,Delay,Note\n9/4/2008,BWI,0,é\n\nEnd of it\n\n")
    ingest("f.csv", columns=Path("f.toml"), explain=True)
    (row,) = records(Path("f.csv"), Path("f.toml"))
    assert (row["Flight_Date"], row["Airline_Code"]) == (date(2008, 4, 9), "WN")
    assert (row["Origin"], row["Destination"]) == ("BDL", "BWI")
    assert (row["Departure_Delay_Minutes"], row["Note"]) == (None, "é")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x", "cannot be read: "),
        ("[columns]\nFligt_Date = 'x'", "Fligt_Date is not a column of the raw records. These are"),
        ("colums = 1", "unknown option colums. Options are columns, date_formats, end_of_rows,"),
        ("date_formats = ['d/m/y']", "'d/m/y' is not a format of dates. Write YYYY, MM or M, and"),
        ("name = 1", "name is a text, not 1."),
        ("columns = 1", "columns is a table, not 1."),
        ("[columns]\nOrigin = 1", "Origin is 1. Allowed are a name, { year ="),
        ("[columns]\nOrigin = { year = 'a', month = 'b', day = 'c' }", "Origin is {'year': 'a'"),
        ("zero_is_missing = [['Origin']]", "zero_is_missing is for minutes and miles, not for"),
        ("[columns]\nFlight_Date = 'day'", "no column day (Flight Date), Airline Name"),
    ],
)
def test_a_wrong_mapping_file_is_refused(
    ingest: Ingest, odd: Path, content: str, says: str
) -> None:
    Path("f.toml").write_text(content)
    message = refusal(ingest, "odd.csv", columns=Path("f.toml"))
    file = "odd.csv" if says.startswith("no column") else "f.toml"
    assert message.startswith(f"{file}: {says}")
    assert "f.toml" in message or "docs/data-sources.md" in message


def test_every_form_of_the_project_is_a_valid_mapping_file() -> None:
    names = [form.name for form in mapping.forms()]
    assert names[0] == "AirSense's own columns"
    assert len(set(names)) == len(names) == 10


def test_codes_are_named_by_lookup_files(ingest: Ingest, warehouse: Warehouse) -> None:
    Path("carriers.csv").write_text(
        'Code,Description\n"WN","Old Air (1990 - 2007)"\n"WN","New Air (2008 - )"\n"QQ","Q, Inc."\n'
    )
    Path("places.csv").write_text('Code,Description\n"BDL","Bradley, CT: Bradley International"\n')
    Path("f.csv").write_text(
        "FL_DATE,CARRIER,ORIGIN,DEST,DEP_DELAY\n"
        "2007-12-31,WN,BDL,BWI,1\n2008-01-01,WN,BDL,QQQ,1\n2008-01-02,QQ,BDL,QQQ,1\n"
        "2008-01-03,ZZ,BDL,BWI,1\n"
    )
    report = ingest("f.csv", airlines=Path("carriers.csv"), airports=Path("places.csv"))
    rows = raw(warehouse)
    assert [row["Airline_Name"] for row in rows] == ["Old Air", "New Air", "Q, Inc.", "ZZ"]
    assert {row["Origin_City"] for row in rows} == {"Bradley, CT"}
    cities = [row["Destination_City"] for row in rows]
    assert cities == ["Baltimore, MD", "QQQ", "QQQ", "Baltimore, MD"]
    assert "Warning: f.csv: 1 records with unknown airline codes: ZZ (1)." in report
    assert "Warning: f.csv: 2 records with unknown airport codes: QQQ (2)." in report


def test_impossible_years_are_a_part_of_the_name(ingest: Ingest, warehouse: Warehouse) -> None:
    Path("carriers.csv").write_text(
        'Code,Description\nWN,"Old (0000 - 2007)"\nQQ,"New (١٩٩٠ - )"\n', encoding="utf-8"
    )
    Path("f.csv").write_text(
        "FL_DATE,CARRIER,ORIGIN,DEST,DEP_DELAY\n2007-12-31,WN,BDL,BWI,1\n2008-01-01,QQ,BDL,BWI,1\n"
    )
    ingest("f.csv", airlines=Path("carriers.csv"))
    assert [r["Airline_Name"] for r in raw(warehouse)] == ["Old (0000 - 2007)", "New (١٩٩٠ - )"]


def test_an_airline_is_the_one_that_had_the_code_on_the_date(
    ingest: Ingest, warehouse: Warehouse
) -> None:
    dates = ["2008-01-01", "2016-01-01"]
    lines = "".join(f"{day},OH,SYR,JFK,1\n" for day in dates)
    Path("f.csv").write_text(f"FL_DATE,CARRIER,ORIGIN,DEST,DEP_DELAY\n{lines}")
    ingest("f.csv")
    assert [row["Airline_Name"] for row in raw(warehouse)] == ["Comair Inc.", "PSA Airlines Inc."]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "none.csv: cannot be read: No such file or directory."),
        (b"a,b\n1,2\n", "none.csv, line 1: its columns are a, b. Use a lookup table of the DOT"),
        (b"Code,Description\nWN\n", "none.csv, line 2: 1 values, but the header names 2 columns."),
        (b"Code,Description\n,x\n", "none.csv, line 2, column Code: no code."),
        (b"PK\0", "none.csv: not a lookup table."),
        (
            b"Code,Description\nA," + b"x" * 200_000,
            "none.csv: not a lookup table: field larger than field limit (131072). Use a",
        ),
    ],
)
def test_a_wrong_lookup_file_is_refused(
    ingest: Ingest, odd: Path, content: bytes | None, says: str
) -> None:
    if content is not None:
        Path("none.csv").write_bytes(content)
    with pytest.raises(CommandError) as refused:
        ingest("odd.csv", airlines=Path("none.csv"))
    assert str(refused.value).startswith(says)
