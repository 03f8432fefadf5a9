"""Read rows for a page by the same query as the API, with the address of that query."""

from dataclasses import dataclass

from flights import links, versions
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.query.paging import Row
from flights.query.query import Query

DATA = "US Bureau of Transportation Statistics"


@dataclass(frozen=True)
class TableRows:
    rows: list[Row]  # by the public names of columns
    version: TableVersion
    url: str  # the API query that returns the same rows

    @property
    def source(self) -> str:
        """`US Bureau of Transportation Statistics; performance_by_route, version 3`"""
        return source(self.version)


def source(version: TableVersion) -> str:
    """`US Bureau of Transportation Statistics; performance_by_route, version 3`"""
    return f"{DATA}; {version.table}, version {version.number}"


def read(model: type[MirroredTable], params: dict[str, str]) -> TableRows:
    """The rows of a query. Raises the errors of `Query` and NeverTransferred."""
    query = Query.read(model, params)
    url = links.rows(model._meta.db_table, params)
    return versions.read(model, lambda v: TableRows(query.page(v).rows, v, url))
