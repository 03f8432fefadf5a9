"""The JSON response to a query, without HTTP's request and response objects.

Views send it, and the gateway sends it for a cache miss without calling a view.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flights.models import TableVersion
from flights.query.paging import Page
from flights.query.query import Query
from flights.web import caching

type Headers = dict[str, str]


@dataclass(frozen=True)
class TableResponse:
    """A page of rows in an object that names the table, the version and the pages beside it."""

    query: Query
    params: dict[str, str]  # of the query, for links to other pages
    version: TableVersion

    def headers(self, url: str, media_type: str, variant: str = "") -> Headers:
        """The headers that are known before the rows are read; see `caching.headers`."""
        headers = caching.headers(url, media_type, [self.version], variant)
        return {**headers, "X-AirSense-Limit": str(self.query.limit)}

    def read(self) -> tuple[Headers, Any]:
        """Read the page: more headers, and the body. Raises BadQuery or Unavailable."""
        query, version = self.query, self.version
        page = query.page(version)
        headers = {"X-AirSense-More": str(page.next is not None).lower()}
        body = self.body(page)
        if query.count_way:
            headers["X-AirSense-Count"] = str(query.count(version))
            headers["X-AirSense-Count-Is"] = query.count_way
        if query.facet_columns:
            body = {**body, "facets": query.facets(version)}
        return headers, body

    def body(self, page: Page) -> Any:
        return {
            "table": self.version.table,
            "version": self.version.number,
            "limit": self.query.limit,
            **({} if page.offset is None else {"offset": page.offset}),
            "next": self._link(page.next),
            "previous": self._link(page.previous),
            "results": page.rows,
        }

    def _link(self, changes: dict[str, str] | None) -> str | None:
        """Another page of this query. Relative, so that the body does not depend on Host."""
        return "?" + urlencode({**self.params, **changes}) if changes else None


class ListResponse(TableResponse):
    """The rows alone, as the first AirSense returned them."""

    def body(self, page: Page) -> Any:
        return page.rows
