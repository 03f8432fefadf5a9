"""CSV and Excel: text never becomes a formula, and values stay the same."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from flights.exports import copy_sql, excel, workbook
from flights.mirror import Field
from flights.models.mirrored import FlightDelayData

TEXT: list[Field] = [FlightDelayData._meta.get_field("airline_name")]
NUMBER: list[Field] = [FlightDelayData._meta.get_field("arrival_delay_minutes")]
FILLERS = ["\u034f", "\u115f", "\u1160", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\U000e0100"]


@cache
def every() -> list[str]:
    """All characters, which are not listed on import, because each test process imports this."""
    return [chr(n) for n in range(1, 0x110000) if not 0xD800 <= n < 0xE000]


@cache
def signs() -> list[str]:
    return [c for c in every() if unicodedata.normalize("NFKC", c)[0] in "=+-@\N{MINUS SIGN}"]


@cache
def unseen() -> list[str]:
    return [c for c in every() if unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp")]


def few() -> list[str]:
    return sorted({*every()[:0xFFFF], *unseen(), *FILLERS, *signs()})


def as_csv(texts: Iterable[str], fields: list[Field] = TEXT, type_: str = "text") -> list[str]:
    """The values of a CSV column that PostgreSQL writes."""
    with connection.cursor() as cursor:
        statement = copy_sql.csv(f"SELECT unnest(%s::{type_}[])", fields, ())
        with cursor.copy(statement, [list(texts)]) as copy:
            body = b"".join(copy).decode()
    _, *rows = csv.reader(io.StringIO(body, newline=""), strict=True)
    return [value for (value,) in rows]


def is_formula(text: str) -> bool:
    rest = text.lstrip("".join(unseen() + FILLERS))
    return text.startswith(("\t", "\r", "\n")) or rest.startswith(tuple(signs()))


@pytest.mark.parametrize("characters", [few, pytest.param(every, marks=pytest.mark.deep)])
def test_text_is_harmless_with_any_character_before_the_sign(
    characters: Callable[[], list[str]],
) -> None:
    for before in ("", "\ufeff "):
        harmless = as_csv(f"{before}{c}=1" for c in characters())
        texts = zip(characters(), harmless, strict=True)
        guarded = {c for c, text in texts if text.startswith("'")}
        assert guarded >= {*unseen(), *FILLERS, *signs()}
        assert not {c for c in guarded if c.isalnum() and c not in signs() + FILLERS}


def text_near_a_formula() -> st.SearchStrategy[str]:
    return st.tuples(
        st.text(st.sampled_from([*unseen(), *FILLERS]), max_size=4),
        st.sampled_from(["", "a", "'", '"', "7", ",", "\u00c9", *signs()]),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    ).map("".join)


@given(st.lists(st.deferred(text_near_a_formula), min_size=1))
@settings(deadline=None)
def test_only_text_that_would_be_a_formula_gets_a_quote(texts: list[str]) -> None:
    expected = [f"'{text}" if is_formula(text) else text for text in texts]
    assert as_csv(texts) == expected


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1))
@settings(deadline=None, max_examples=20)
def test_a_number_stays_a_number(numbers: list[int]) -> None:
    result = as_csv(map(str, numbers), NUMBER, "integer")
    assert result == [str(number) for number in numbers]


def cells(**columns: Any) -> list[list[Any]]:
    """The rows that openpyxl reads from a sheet with these columns."""
    xml = workbook.BEGIN.encode() + excel._rows(pa.record_batch(columns), 1)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in workbook.PARTS.items():
            archive.writestr(name, text)
        archive.writestr(workbook.SHEET, xml + workbook.END.encode())
    sheet = load_workbook(file).worksheets[0]
    return [list(column) for column in zip(*sheet.iter_rows(values_only=True), strict=True)]


def test_a_cell_has_the_value_and_the_type_of_its_column() -> None:
    days = [date(1900, 1, 1), date(1900, 2, 28), date(1900, 3, 1), date(2024, 2, 29), None]
    times = [datetime(1900, 1, 1, 6), datetime(2013, 1, 1, 5, 15), datetime(9999, 12, 31), None]
    result = cells(
        text=pa.array(['<a> & "b"', " \n ", "\u00e9\U0001f600", "", None]),
        whole=pa.array([2**53, -(2**53), 2**53 + 1, 0, None]),
        real=pa.array([0.1, -1e300, 5e-324, 3.0, None]),
        flag=pa.array([True, False, None, True, None]),
        day=pa.array(days, pa.date32()),
        early=pa.array([date(1899, 12, 31), None, None, None, None], pa.date32()),
        time=pa.array([*times, datetime(1899, 12, 31, 23)], pa.timestamp("us")),
        zone=pa.array([datetime(2013, 1, 1)] * 5, pa.timestamp("us", "UTC")),
    )
    assert result[0][:3] == ['<a> & "b"', " \n ", "\u00e9\U0001f600"]
    assert result[1] == [2**53, -(2**53), str(2**53 + 1), 0, None]
    assert result[2] == [0.1, -1e300, 5e-324, 3, None]
    assert result[3] == [True, False, None, True, None]
    assert [d and d.date() for d in result[4]] == days
    assert result[5][0] == "1899-12-31"
    assert result[6] == [*times, "1899-12-31T23:00:00"]
    assert set(result[7]) == {"2013-01-01T00:00:00+00:00"}


def test_characters_that_xml_cannot_hold_are_escaped_as_excel_does() -> None:
    batch = pa.record_batch({"text": ["\x07\r\t\ufffe", "_x0041_", "plain_x"]})
    matches = re.findall(">([^<>]+)</t>", excel._rows(batch, 1).decode())
    assert matches == ["_x0007__x000D_\t_xFFFE_", "_x005F_x0041_", "plain_x"]


def test_columns_are_lettered_as_excel_does() -> None:
    places = (0, 25, 26, 51, 52, 701, 702, 16_383)
    names = ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"]
    assert [workbook.column_letters(place) for place in places] == names
