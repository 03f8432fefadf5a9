"""The tools of `/mcp`, offered by the protocol's Python SDK.

The SDK takes a second and 40 MB to import, so only requests to `/mcp` import this module.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

from asgiref.sync import sync_to_async
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import ToolAnnotations
from pydantic import Field

from flights.errors import ClientError

from . import reading
from .reading import Result

ABOUT = (
    "Punctuality of US flights: published tables that anybody may query. Every result has the"
    " address (`url`) that returns the same figures, and the version of its table. Cite both, and"
    " the number of flights. Percentages are of scheduled flights; on time means less than 15"
    " minutes late."
)
READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)

Table = Annotated[str, Field(description="Name of a table.")]
Names = Annotated[list[str] | None, Field(description="Names of columns.")]
Filters = Annotated[
    dict[str, str] | None,
    Field(
        description="Values by column or column__operator, such as"
        ' {"Origin": "JFK", "Arrival_Delay_Minutes__gte": "30"}. Operators: gt, gte, lt, lte, in,'
        " isnull, icontains, startswith, and each with not_ before it."
    ),
]
Aggregates = Annotated[
    list[str] | None,
    Field(
        description="What to compute for each group: count, sum:C, avg:C, min:C, max:C, median:C,"
        " disc90:C, percent:A/B (of sums), share:C__gte:30 (of rows). Without group_by, for all"
        " rows together."
    ),
]


async def list_tables() -> dict[str, Any]:
    """List the tables with what they contain, their versions and addresses."""
    return await _run(reading.list_tables)


async def describe_table(table: Table) -> dict[str, Any]:
    """Describe a table: columns with types, units, meanings and operators, and the version."""
    return await _run(reading.describe_table, table)


async def query_table(
    table: Table,
    filters: Filters = None,
    columns: Names = None,
    group_by: Names = None,
    aggregate: Aggregates = None,
    having: Annotated[
        list[str] | None, Field(description="Conditions on groups, such as count__gte:100.")
    ] = None,
    order_by: Annotated[
        list[str] | None, Field(description="Columns to sort by; -Name descends.")
    ] = None,
    limit: Annotated[
        int | None, Field(description=f"Rows, at most {reading.MOST}; otherwise {reading.USUAL}.")
    ] = None,
    offset: Annotated[int | None, Field(description="Rows to skip.")] = None,
) -> dict[str, Any]:
    """Read rows of a table, or compute values for groups of its rows. Never SQL."""
    lists = {
        "columns": columns,
        "group_by": group_by,
        "aggregate": aggregate,
        "having": having,
        "order_by": order_by,
    }
    params = {name: ",".join(values or []) for name, values in lists.items()}
    params |= {"offset": str(offset or ""), **(filters or {})}
    return await _run(reading.query_table, table, params, limit)


async def ask(
    question: Annotated[str, Field(description="A question in English about delays.")],
    previous: Annotated[
        str | None, Field(description="`understood` of the answer that the question continues.")
    ] = None,
) -> dict[str, Any]:
    """Answer a question such as "which airline is worst at LGA in July?" with figures.

    A question that the data cannot answer is refused with close questions that have an answer.
    """
    return await _run(reading.ask, question, previous or "")


TOOLS = (list_tables, describe_table, query_table, ask)


def manager(version: str) -> StreamableHTTPSessionManager:
    """Return a manager that serves one request, without a session, and responds with JSON."""
    lowlevel = _server(version)._lowlevel_server
    return StreamableHTTPSessionManager(lowlevel, json_response=True, stateless=True)


@lru_cache
def _server(version: str) -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer(
        "airsense", instructions=ABOUT, version=version, subscriptions=False
    )
    for tool in TOOLS:
        server.add_tool(tool, annotations=READ_ONLY)
    return server


async def _run(read: Callable[..., Result], *arguments: Any) -> dict[str, Any]:
    """Run a function in the request's own thread, which has a database connection."""
    try:
        return await sync_to_async(read)(*arguments)
    except ClientError as error:
        detail: Any = error.detail
        allowed = detail.get("allowed") if isinstance(detail, dict) else None
        suffix = f" Allowed: {', '.join(allowed)}" if allowed else ""
        raise ToolError(f"{error}{suffix}") from None
