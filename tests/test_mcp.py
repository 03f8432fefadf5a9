"""The Model Context Protocol at `/mcp`, with the client of its Python SDK."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from flights.tables import NAMES
from tests import addresses
from tests.platform import Platform, Site

if TYPE_CHECKING:
    from mcp.client import Client

MODES = ["auto", "legacy"]  # the stateless protocol of 2026, and the handshake of earlier ones
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = "application/json, text/event-stream"

type Use[T] = Callable[["Client"], Awaitable[T]]


def use[T](site: Site, reader: Use[T], mode: str = "auto") -> T:
    """Connect a client and use it."""
    from mcp.client import Client  # here, as every test process would take a second to import it

    async def connected() -> T:
        async with Client(f"{site.url}/mcp", mode=mode) as client:
            return await reader(client)

    return asyncio.run(connected())


def call(site: Site, tool: str, mode: str = "auto", **arguments: Any) -> Any:
    """The structured result of a tool; the text of its error."""

    async def reader(client: "Client") -> Any:
        result = await client.call_tool(tool, arguments)
        if result.is_error:
            return result.content[0].text  # type: ignore[union-attr]
        return result.structured_content

    return use(site, reader, mode)


def post(site: Site, body: bytes, **headers: str) -> Any:
    all_headers = {"Content_Type": "application/json", "Accept": ACCEPT, **headers}
    return site.request("POST", "/mcp", body, **all_headers)


@pytest.mark.parametrize("mode", MODES)
def test_the_tools_only_read(site: Site, mode: str) -> None:
    async def reader(client: "Client") -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in use(site, reader, mode)}
    assert set(tools) == {"list_tables", "describe_table", "query_table", "ask"}
    for tool in tools.values():
        assert tool.annotations
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert tool.description


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_has_its_address_and_version(site: Site, mode: str) -> None:
    response = call(site, "ask", mode, question="how many flights were cancelled on Feb 9 2013")
    assert response["figures"][0]["value"] == 393
    assert response["version"] == "performance_by_date/1"
    assert response["url"].startswith(f"{site.url}/api/performance_by_date/?")
    (row,) = site.get(response["url"].removeprefix(site.url)).json()["results"]
    assert row["sum_Cancelled_Flights"] == 393


def test_a_question_without_an_answer_is_refused_with_others(site: Site) -> None:
    response = call(site, "ask", question="which airline has the best food")
    assert not response["answered"]
    assert response["suggestions"]


def test_all_tables_are_listed_and_described(site: Site) -> None:
    assert [table["table"] for table in call(site, "list_tables")["tables"]] == NAMES
    described = call(site, "describe_table", table="performance_by_route")
    assert described["version"] == 1
    assert {column["name"] for column in described["columns"]} >= {"Origin", "On_Time_Percent"}


def test_a_query_returns_what_its_address_returns(site: Site) -> None:
    result = call(
        site,
        "query_table",
        table="flight_delay_data",
        filters={"Origin": "JFK", "Destination": "MCO"},
        group_by=["Airline_Code"],
        aggregate=["count", "share:Arrival_Delay_Minutes__gte:30"],
        having=["count__gte:100"],
        order_by=["-count"],
    )
    assert result["version"] == "flight_delay_data/1"
    assert result["rows"][0]["share_Arrival_Delay_Minutes_gte_30"] == 18.07
    assert site.get(result["url"].removeprefix(site.url)).json()["results"] == result["rows"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"table": "delays_by_day", "columns": ["Town"]}, "Allowed: Day_of_Week"),
        ({"table": "auth_user"}, "There is no table 'auth_user'"),
        (
            {"table": "delays_by_day", "limit": 100_000},
            "limit must be a whole number from 1 to 1,000",
        ),
        ({"table": "delays_by_day", "filters": {"Day_of_Week; --": "x"}}, "no column"),
        ({"table": "delays_by_day", "order_by": ["1; DROP TABLE x"]}, "no column"),
    ],
)
def test_a_wrong_call_says_what_is_allowed(
    site: Site, arguments: dict[str, Any], says: str
) -> None:
    assert says in call(site, "query_table", **arguments)


def test_other_requests_are_refused_as_the_protocol_prescribes(site: Site) -> None:
    assert site.get("/mcp").status == 405
    assert post(site, b"no json").status == 400
    assert post(site, json.dumps(CALL).encode(), Accept="text/html").status == 406
    assert post(site, b"x" * 200_000).status == 413
    assert post(site, b"[" * 50_000).status == 400


def test_the_throttles_of_the_api_apply(fresh: Platform) -> None:
    fresh.env |= {"THROTTLE_PER_MINUTE": "3", "TRUSTED_PROXIES": "1"}
    body, client = json.dumps(CALL).encode(), {"X_Forwarded_For": addresses.unused()}
    with fresh.site(processes=1) as site:
        statuses = [post(site, body, **client).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
