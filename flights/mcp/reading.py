"""The results of the tools of `/mcp`: JSON with the address and the version of the figures."""

from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from flights import tables, versions
from flights.api import catalogue
from flights.ask import answers, service
from flights.errors import BadQuery
from flights.models import TableVersion
from flights.query.query import Query
from flights.web.renderers import JSON

MOST = 1_000  # rows of a result; more would fill a model's context
USUAL = 50  # rows of a result if the call sets no limit

# The scheme and host of the request, to make addresses absolute.
site: ContextVar[str] = ContextVar("site", default="")

type Result = dict[str, Any]


def list_tables() -> Result:
    """The tables with what they contain, their current versions and addresses."""
    names = ("table", "about", "rows", "version")
    described = catalogue.describe(tables.TABLES)
    return {
        "tables": [
            {**{name: table[name] for name in names}, "url": _address(table["url"])}
            for table in described
        ]
    }


def describe_table(table: str) -> Result:
    """A table's columns with types, units, meanings and operators, and its version."""
    (described,) = catalogue.describe([tables.by_name(table)])
    return _json({**described, "url": _address(described["url"])})


def query_table(table: str, params: dict[str, str], limit: int | None) -> Result:
    """Rows or groups of a table, with their version and the address that returns the same."""
    model = tables.by_name(table)
    if limit is not None and not 0 < limit <= MOST:
        raise BadQuery(f"limit must be a whole number from 1 to {MOST:,}.")
    params = {**{name: v for name, v in params.items() if v}, "limit": str(limit or USUAL)}
    query = Query.read(model, params)

    def read(version: TableVersion) -> Result:
        page = query.page(version)
        address = f"/api/{version.table}/?{urlencode(params, quote_via=quote, safe=',:/')}"
        result = {"url": _address(address), "version": str(version), "more": page.next is not None}
        return _json({**result, "rows": page.rows})

    return versions.read(model, read)


def ask(question: str, previous: str) -> Result:
    """The answer to a question in English, as `/api/ask` returns it."""
    answer = answers.as_json(service.answer(question, previous))
    return _json({**answer, "url": answer["url"] and _address(answer["url"])})


def _address(path: str) -> str:
    return f"{site.get()}{path}"


def _json(data: Any) -> Result:
    """Data as the API writes them: dates as texts, decimals with all digits."""
    result: Result = orjson.loads(JSON().render(data))
    return result
