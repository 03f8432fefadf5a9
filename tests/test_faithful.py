"""Random Arrow tables stay unchanged through COPY into PostgreSQL."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transfers.exceptions import Unstorable
from transfers.load import writer

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): TEXTS | st.sampled_from(["", "NULL", "\\N", "\\.", '"', "a,b", "\r\n", "'"]),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("us", tz="UTC"): st.datetimes(
        datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)
    ),
    pa.binary(): st.binary(),
    pa.decimal128(12, 3): st.decimals(-999_999_999, 999_999_999, places=3),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=8))
    rows = draw(st.integers(0, 12))
    columns = [
        pa.array(draw(st.lists(st.none() | VALUES[t], min_size=rows, max_size=rows)), t)
        for t in types
    ]
    return pa.table(columns, names=[f"Column {number}" for number in range(len(types))])


def stored(table: pa.Table, batch: int) -> list[tuple[Any, ...]]:
    with transaction.atomic():
        version = writer.make_temporary("random", table.schema)
        list(writer.copy(version, table.schema, table.to_batches(max_chunksize=batch)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM random__v0 ORDER BY id")
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        transaction.set_rollback(True)
    return rows


def same(value: Any) -> Any:
    """A form that is equal for equal values: NaN is not equal to itself, nor -0.0 unlike 0.0."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    return value


def check(table: pa.Table, batch: int) -> None:
    rows = [
        (number, *(same(value) for value in row.values()))
        for number, row in enumerate(table.to_pylist(), 1)
    ]
    assert [tuple(map(same, row)) for row in stored(table, batch)] == rows


@given(tables(), st.integers(1, 5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_tables_arrive_as_they_are(table: pa.Table, batch: int) -> None:
    check(table, batch)


@pytest.mark.deep
@given(tables(), st.integers(1, 5))
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_thousands_of_random_tables_arrive_as_they_are(table: pa.Table, batch: int) -> None:
    check(table, batch)


@given(TEXTS, TEXTS, st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_a_nul_character_is_refused_with_its_place(before: str, after: str, row: int) -> None:
    texts = ["a"] * row + [f"{before}\0{after}", "z"]
    with pytest.raises(Unstorable, match=rf"random: column Column 0 of row {row + 1}, in the"):
        stored(pa.table({"Column 0": texts}), 2)
