"""A client that sends the requests of the first AirSense's pages and reads the same fields."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from flights.tables import NAMES
from tests.browser import chromium, opened
from tests.platform import Platform, Response, Site, until
from tests.platforms import own_platform

QUERY = "/api/dynamic_query"
LIST_OF_TABLES = (
    f"{QUERY}?table_name=information_schema.tables&columns=table_name&where=table_schema:public"
)
DONE = "Table transferred successfully"
TABLES = NAMES


@pytest.fixture(scope="module")
def connector() -> Iterator[tuple[Site, dict[str, str]]]:
    """A site with a worker whose tables were never transferred, and an administrator's token."""
    with own_platform() as own, own.running("worker"), own.site(processes=1) as site:
        own.ingest("2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2")
        until(lambda: site.get("/connector").status == 200)
        yield site, {"Authorization": f"Token {own.token()}"}


def post(site: Site, path: str, body: object, **headers: str) -> Response:
    data = json.dumps(body).encode()
    return site.request("POST", path, data, Content_Type="application/json", **headers)


def test_the_explorer_lists_the_tables_and_shows_one(site: Site) -> None:
    options = [table["table_name"] for table in site.get(LIST_OF_TABLES).json()]
    assert options == TABLES
    for table in options:
        rows = site.get(f"{QUERY}?table_name={table}&columns=*&limit=5").json()
        assert 1 <= len(rows) <= 5
        column = list(rows[0])[1]
        sort = {"table_name": table, "order_by": column, "order_direction": "DESC", "limit": 3}
        values = [row[column] for row in site.get(f"{QUERY}?{urlencode(sort)}").json()]
        assert values == sorted(values, reverse=True)


def test_the_example_of_the_first_readme_is_answered(site: Site) -> None:
    where = "where=Avg_Departure_Delay:87,Total_Arrivals:4"
    response = site.get(f"{QUERY}?table_name=busiest_airports_by_delays&limit=6&{where}")
    assert (response.status, response.json()) == (200, [])


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("limit=1", [{"table_schema": "public", "table_name": "airline_performance"}]),
        (
            "columns=table_name&order_by=table_name&order_direction=DESC&limit=1&offset=1",
            [{"table_name": sorted(TABLES)[-2]}],
        ),
        ("columns=TABLE_NAME&where=table_name:delays_by_day", [{"table_name": "delays_by_day"}]),
        ("where=table_schema:pg_catalog", []),
    ],
)
def test_the_list_of_tables_is_queried_as_a_table(site: Site, query: str, rows: object) -> None:
    response = site.get(f"{QUERY}?table_name=Information_Schema.Tables&{query}")
    assert (response.status, response.json()) == (200, rows)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("table_name=delays_by_day&order_by=Day_of_Week&order_direction=UP", 400),
        ("table_name=delays_by_day&columns=Nope", 400),
        ("table_name=information_schema.columns", 404),
        ("table_name=pg_catalog.pg_tables", 404),
        ("table_name=information_schema.tables&columns=table_type", 400),
        ("table_name=information_schema.tables&where=table_name__in:a", 400),
        ("table_name=information_schema.tables&where=Nope:1", 400),
        ("table_name=information_schema.tables&order_by=Nope", 400),
        ("table_name=information_schema.tables&group_by=table_name", 400),
        ("table_name=information_schema.tables&format=csv", 400),
        ("table_name=information_schema.tables&limit=many", 400),
    ],
)
def test_an_invalid_query_is_refused_with_a_message_field(
    site: Site, query: str, status: int
) -> None:
    response = site.get(f"{QUERY}?{query}")
    assert response.status == status
    assert isinstance(response.json()["message"], str)
    assert "pg_shadow" not in response.json()["message"]


def test_the_search_page_marks_hits_in_rows_by_column(site: Site) -> None:
    response = post(site, "/api/advanced_search", {"query": "honolulu"})
    assert response.status == 200
    assert set(response.json()) == {
        *("busiest_airports_by_delays", "flight_delay_data", "airports"),
        *("performance_by_airport", "performance_by_route"),
    }
    for table in response.json().values():
        assert table["rows"]
        for row in table["rows"]:
            cells = [str(row[column]) for column in table["columns"]]
            assert len(row) == len(cells)
            assert any("honolulu" in cell.lower() for cell in cells)


def test_the_search_page_says_that_nothing_was_found(site: Site) -> None:
    response = post(site, "/api/advanced_search", {"query": "no such words"})
    assert (response.status, response.json()["message"]) == (404, "No matching records found.")
    bodies: list[object] = [{}, {"query": ""}, {"query": None}, []]
    for body in bodies:
        response = post(site, "/api/advanced_search", body)
        assert (response.status, response.json()["message"]) == (
            400,
            "Parameter 'query' is required!",
        )


def test_the_chat_page_shows_a_reply_of_at_most_100_words(site: Site) -> None:
    for message in ("Which airline is late?", "Hello", "Write me a poem"):
        response = post(site, "/api/chat", {"message": message})
        assert response.status == 200
        assert 1 <= len(response.json()["reply"].split()) <= 100
    bodies: list[object] = [{}, {"message": ""}, []]
    for body in bodies:
        response = post(site, "/api/chat", body)
        assert (response.status, response.json()["message"]) == (
            400,
            "Parameter 'message' is required!",
        )


def test_the_connectors_page_transfers_a_table_and_lists_it(
    connector: tuple[Site, dict[str, str]],
) -> None:
    site, token = connector
    assert site.get(LIST_OF_TABLES).json() == []
    for path, name in (("/dbstatus", "Databricks"), ("/rdsstatus", "RDS")):
        body = site.get(path).json()
        assert body[f"{name} is connected"] is True
        assert isinstance(body["result"], str)

    by_address = site.request("POST", "/transfer_table?table_name=delays_by_day", b"", **token)
    by_body = post(site, "/transfer_table", {"table_name": "delays_by_day"}, **token)
    for response in (by_address, by_body):  # the second finds the table unchanged
        assert response.status == 200
        assert response.json()["status"] == DONE
        assert response.json()["table_name"] == "delays_by_day"
        assert response.json()["rows_transferred"] == 2
    until(lambda: site.get(LIST_OF_TABLES).json() == [{"table_name": "delays_by_day"}])

    listed = site.get("/service_transfer").json()
    columns = ["id", "tablename", "last_transfer_date", "transfer_count"]
    assert (listed["success"], listed["columns"]) == (True, columns)
    assert listed["count"] == len(listed["data"])
    assert [list(map(type, row.values())) for row in listed["data"]] == [
        [int, str, str, int]
    ] * len(TABLES)
    (row,) = [row for row in listed["data"] if row["tablename"] == "delays_by_day"]
    assert row["transfer_count"] == 1


def test_a_failed_transfer_states_the_reason_in_detail(fresh: Platform) -> None:
    token = {"Authorization": f"Token {fresh.token()}"}
    with fresh.running("worker"), fresh.site(processes=1) as site:
        until(lambda: site.get("/connector").status == 200)
        for name, status in (("delays_by_day", 500), ("nowhere", 404)):
            response = site.request("POST", f"/transfer_table?table_name={name}", b"", **token)
            assert response.status == status
            assert name in response.json()["detail"]


def test_an_unreachable_database_is_reported_without_its_error(fresh: Platform) -> None:
    fresh.warehouse.mkdir()
    (fresh.warehouse / "warehouse.duckdb").write_text("no database")
    with fresh.site(processes=1) as site:
        response = site.get("/dbstatus")
    assert response.json()["Databricks is connected"] is False
    assert response.json()["error"] == "warehouse does not answer"


# What the scripts of the first AirSense's pages read, on a page of the same site.
SCRIPT = """async () => {
    const read = async (path, options) => (await fetch(path, options)).json();
    const tables = await read("%s");
    const rows = await read(`/api/dynamic_query?table_name=${tables[0].table_name}&limit=2`);
    const body = JSON.stringify({query: "honolulu"});
    const headers = {"Content-Type": "application/json"};
    const search = await read("/api/advanced_search", {method: "POST", headers, body});
    const marked = Object.values(search).map(({columns, rows}) => rows[0]
        && columns.some((column) => String(rows[0][column]).includes("Honolulu")));
    const transfers = await read("/service_transfer");
    return {
        tables: tables.map((row) => row.table_name),
        cells: rows.map((row) => Object.keys(row).length),
        marked,
        databricks: (await read("/dbstatus"))["Databricks is connected"],
        rds: (await read("/rdsstatus"))["RDS is connected"],
        listed: transfers.data.map((row) => row.tablename),
    };
}"""


def test_a_browsers_script_reads_the_same_fields(site: Site) -> None:
    with chromium() as browser, opened(browser, site.url) as page:
        page.goto("/about")
        assert page.evaluate(SCRIPT % LIST_OF_TABLES) == {
            "tables": TABLES,
            "cells": [4, 4],
            "marked": [True] * 5,
            "databricks": True,
            "rds": True,
            "listed": TABLES,
        }
