"""Columns of every supported type are filtered, displayed and exported."""

import io
import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db import transaction
from graphql import GraphQLObjectType, GraphQLSchema, execute_sync, parse
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from openpyxl import load_workbook
from psycopg import sql
from rest_framework.test import APIRequestFactory

from flights.api.views import TableView
from flights.graphql import rows, where
from flights.graphql.operation import Operation
from flights.models import PublishedTable, TableVersion
from flights.web.renderers import JSON
from tests.every_type import TYPES, EveryType, table_of
from tests.platform import Platform
from transfers.load import columns, publication, sql_view, verification, writer
from transfers.load.statements import execute

LEAST, MOST = -(2**63), 2**63 - 1  # of n


@pytest.fixture(scope="module")
def published(demo: Platform) -> Iterator[None]:
    schema = columns.schema(EveryType)
    rows = table_of(TYPES).cast(schema).sort_by("n")
    with transaction.atomic():
        version = writer.create(EveryType, schema, "1")
        assert list(writer.copy(version, schema, rows.to_batches()))[-1].rows == 4
        writer.save_figures(version, verification.figures(version, schema))
        publication.publish([version])
        sql_view.prepare(EveryType, str(settings.DATABASES["reader"]["USER"]))
    yield
    PublishedTable.objects.filter(table="every_type").delete()
    execute("DROP VIEW every_type")
    execute("DROP FUNCTION {}", sql.Identifier(f"every_type__{len(TYPES) + 1}_columns"))
    execute("DROP TABLE every_type__v1, every_type__v1__values")
    TableVersion.objects.filter(table="every_type").delete()


def ask(query: str, status: int = 200) -> Any:
    view = TableView.as_view({"get": "list"}, model=EveryType)
    response = view(APIRequestFactory().get(f"/api/every_type/?{query}"))
    if not response.streaming:
        response.render()
    body = b"".join(response) if response.streaming else response.content
    response.close()
    assert response.status_code == status, body
    return body


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("flag=true", [LEAST, 1]),
        ("price=-99999.99", [1]),
        ("exact__gt=0.00000000001", [0, 1]),
        ("instant__gte=2024-02-29T00:00:00Z", [LEAST, MOST]),
        ("instant=1883-11-18T12:03:58.000001Z", [0]),
        ("local__lt=1900-01-01T00:00:00", [LEAST, 1]),
        ("local=2024-03-10T02:30:00", [MOST]),
        ("raw__isnull=true", [0]),
        ("single__isnull=true", [LEAST, 1, MOST]),
        ("double__isnull=true", [0, 1]),
        ("double__not_gt=1", [LEAST, 0, 1, MOST]),
        ("day__in=0001-01-01,9999-12-31", [LEAST, 1]),
    ],
)
def test_a_column_of_each_type_is_filtered(published: None, query: str, matches: list[int]) -> None:
    assert [row["n"] for row in json.loads(ask(f"order_by=n&{query}"))["results"]] == matches


def test_nan_and_infinity_sort_with_the_empty_values(published: None) -> None:
    rows = json.loads(ask("order_by=-double&columns=n,double"))["results"]
    assert [row["n"] for row in rows] == [LEAST, MOST, 1, 0]


def test_texts_sort_by_code_point_and_large_numbers_are_plain(published: None) -> None:
    body = ask("order_by=quotes&columns=n")
    assert [row["n"] for row in json.loads(body)["results"]] == [LEAST, 0, MOST, 1]
    assert f'"n":{MOST}'.encode() in body


def test_decimals_keep_their_digits_in_aggregates(published: None) -> None:
    aggregates = "aggregate=min:price,max:exact,count_distinct:raw"
    assert json.loads(ask(aggregates))["results"] == [
        {
            "min_price": "-99999.99",
            "max_exact": "9" * 28 + ".5" + "0" * 9,
            "count_distinct_raw": 3,
        }
    ]


@pytest.mark.parametrize("name", ["flag", "raw"])
def test_min_of_an_unsupported_type_is_refused_with_the_supported_columns(
    published: None, name: str
) -> None:
    refused = json.loads(ask(f"aggregate=min:{name}", status=400))
    assert refused["detail"] == "aggregate: min needs a column of numbers, texts or times."
    assert refused["allowed"] == [other for other in TYPES if other not in ("flag", "raw")]


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("month:day", ["0001-01-01", "1582-10-01", "9999-12-01", None]),
        ("year:day", ["0001-01-01", "1582-01-01", "9999-01-01", None]),
        # Times with a zone count in UTC.
        ("month:instant", ["1883-11-01", "1969-12-01", "2024-02-01", "9999-12-01"]),
        ("month:local", ["1582-10-01", "1899-12-01", "2024-03-01", None]),
        ("year:local", ["1582-01-01", "1899-01-01", "2024-01-01", None]),
    ],
)
def test_months_and_years_of_each_type_are_dates_in_every_format(
    published: None, name: str, days: list[str | None]
) -> None:
    query, column = f"group_by={name}&columns={name.replace(':', '_')}", name.replace(":", "_")
    rows = json.loads(ask(query))["results"]
    assert [row[column] for row in rows] == days
    assert [json.loads(line) for line in ask(f"{query}&format=ndjson").splitlines()] == rows
    assert ask(f"{query}&format=csv").decode().split() == [column, *filter(None, days)]
    read = pq.read_table(io.BytesIO(ask(f"{query}&format=parquet")))
    assert read.schema.types == [pa.date32()]
    assert [day and day.isoformat() for day in read[column].to_pylist()] == days


def test_percentages_of_floats_do_not_depend_on_nan_or_infinity(published: None) -> None:
    percents = "percent:single/double,percent:large/whole,share:single__gt:0,share:flag:true"
    # Two rows have both a finite `large` and a `whole`: the sums are 0.1 and -1.
    assert json.loads(ask(f"aggregate={percents}"))["results"] == [
        {
            "percent_single_of_double": None,
            "percent_large_of_whole": -10.0,
            "share_single_gt_0": 25.0,
            "share_flag_true": 50.0,
        }
    ]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("aggregate=sum:n", [0]),
        ("n__gte=0&n__lt=2&aggregate=sum:n", [1]),
        ("n__gte=1&aggregate=avg:n", [2.0**62]),
        ("n__in=0,1&aggregate=sum:wide,median:wide", [1e308 - 7e307, 1.5e307]),
        ("aggregate=disc50:wide,count:wide", [1e200, 3]),
    ],
)
def test_extreme_values_that_can_be_computed_are(
    published: None, query: str, values: list[Any]
) -> None:
    (row,) = json.loads(ask(query))["results"]
    assert list(row.values()) == pytest.approx(values)


@pytest.mark.parametrize("format_", ["", "&format=csv", "&format=parquet", "&format=xlsx"])
@pytest.mark.parametrize(
    "query",
    [
        "n__gte=1&aggregate=sum:n",
        "aggregate=avg:wide",
        "n=0&aggregate=percent:wide/single",
        "aggregate=avg:wide&having=avg_wide__gt:0&count=exact",
    ],
)
def test_a_value_beyond_its_type_is_refused_in_every_format(
    published: None, query: str, format_: str
) -> None:
    refused = json.loads(ask(query + format_, status=400))
    assert "beyond the range of its type" in refused["detail"]


@given(
    st.sampled_from(["sum", "avg", "median", "p1", "p99", "disc10", "min", "max", "count"]),
    st.sampled_from(["n", "tiny", "whole", "single", "double", "large", "wide"]),
    st.lists(st.sampled_from([0, 1, MOST, LEAST]), min_size=1, max_size=4),
    st.sampled_from(["", "group_by=flag&", "group_by=year:instant&"]),
    st.sampled_from(["", "&format=ndjson", "&order_by=-{}&having={}__not_gt:1e300"]),
)
@hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_aggregate_fails_or_gives_infinity(
    published: None, function: str, column: str, rows: list[int], group: str, more: str
) -> None:
    if column == "n" or function == "count":
        more = more.replace("1e300", "1")
    name = f"{function}_{column}"
    numbers = ",".join(map(str, rows))
    query = f"{group}n__in={numbers}&aggregate={function}:{column}{more.format(name, name)}"
    view = TableView.as_view({"get": "list"}, model=EveryType)
    response = view(APIRequestFactory().get(f"/api/every_type/?{query}"))
    body = b"".join(response) if response.streaming else response.render().content
    response.close()
    assert response.status_code in (200, 400), body
    assert response.status_code == 200 or b"range of" in body or b"whole number" in body, body
    assert not re.search(rb"nan|infinity", body.lower())


def test_files_contain_the_exact_values_of_every_type(published: None) -> None:
    """Except NaN and infinity, which queries treat as null."""
    rows = table_of(TYPES).cast(columns.schema(EveryType)).sort_by("n").to_pylist()
    expected = [{name: _finite(value) for name, value in row.items()} for row in rows]
    for read in (
        pa.ipc.open_stream(ask("format=arrow")).read_all(),
        pq.read_table(io.BytesIO(ask("format=parquet"))),
    ):
        assert repr(read.to_pylist()) == repr(expected)
    lines = [json.loads(line) for line in ask("format=ndjson").decode().splitlines()]
    shown = json.loads(ask(""))["results"]
    times = {"instant", "local"}  # the formats write 0 seconds and the zone differently
    for line, row in zip(lines, shown, strict=True):
        assert {n: v for n, v in line.items() if n not in times} == {
            n: v for n, v in row.items() if n not in times
        }
        for name in times & {n for n in line if line[n]}:
            assert datetime.fromisoformat(line[name]) == datetime.fromisoformat(row[name])


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_a_sheet_uses_text_for_values_that_excel_cannot_hold(published: None) -> None:
    names = "n,price,flag,quotes,day,instant,double"
    sheet = load_workbook(io.BytesIO(ask(f"format=xlsx&columns={names}"))).worksheets[0]
    head, *rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert head == names.split(",")
    assert [row[0] for row in rows] == [str(LEAST), 0, 1, str(MOST)]
    assert rows[1][1:] == [None, None, '"', None, "1883-11-18T12:03:58.000001+00:00", None]
    assert rows[2][1] == -99999.99


def test_graphql_returns_the_same_values_as_rest(published: None) -> None:
    field = rows.field(EveryType, where.argument(EveryType))
    schema = GraphQLSchema(GraphQLObjectType("Query", {"every_type": field}))
    query = f"{{ every_type {{ rows {{ {' '.join(TYPES)} }} }} }}"
    result = execute_sync(schema, parse(query), context_value=Operation.of([EveryType]))
    assert result.errors is None
    assert result.data
    from_graphql = json.loads(JSON().render(result.data["every_type"]["rows"]))
    assert from_graphql == json.loads(ask(""))["results"]
