"""The state of the explorer, which is whole in its address.

`table`, `view` and `chart` are the explorer's own parameters. All others are the query API's, and
the same `Query` reads them, so both show the same rows and report the same errors.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from django.db import OperationalError
from django.http import QueryDict

from flights import versions
from flights.errors import BadQuery, Unavailable
from flights.mirror import MirroredTable, column
from flights.models import TableVersion
from flights.pages import charts
from flights.pages.formatting import address, kind
from flights.query import columns, grouping, params
from flights.query.columns import Columns
from flights.query.counting import Facets
from flights.query.grouping import Grouping
from flights.query.paging import Page
from flights.query.params import LONGEST_NUMBER, is_whole, known_name, repeated
from flights.query.query import Query

PATH = "/explorer"
FILES = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
OWN = ("table", "view", "chart")
NOT_SHOWN = ("format", "cursor")
OF_PAGES = ("limit", "offset", "count", "facets")  # parameters that a file of all rows lacks
VIEWS = ["table", "chart"]
SHOWN = 50
# A page of 500 rows is 250 kB; the API and its CSV give more.
SHOWN_AT_MOST = 500


@dataclass(frozen=True)
class Result:
    """What the explorer shows: a page of a query, the number of all rows, and facets."""

    query: Query
    version: TableVersion
    page: Page
    count: int
    is_estimate: bool
    facets: Facets


@dataclass
class State:
    model: type[MirroredTable]
    address: QueryDict

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def title(self) -> str:
        return str(self.model._meta.verbose_name).capitalize()

    @property
    def about(self) -> str | None:
        return self.model.__doc__

    @property
    def view(self) -> str:
        return self.address.get("view") or "table"

    @cached_property
    def lists(self) -> dict[str, list[str]]:
        """All values of each of the API's parameters, so that repeated ones are refused."""
        lists: dict[str, list[str]] = {}
        for name, values in self.address.lists():
            known = known_name(name)
            if known not in OWN:
                lists.setdefault(known, []).extend(map(str, values))
        return lists

    @cached_property
    def params(self) -> dict[str, str]:
        return {name: values[-1] for name, values in self.lists.items()}

    @cached_property
    def changes(self) -> dict[str, str]:
        """Parameters that the explorer sets: the rows of a page, and the columns of a chart."""
        drawn = {"columns": self.chart} if self.view == "chart" else {}
        return {"limit": self.limit, **drawn}

    @cached_property
    def api_params(self) -> dict[str, str]:
        """The API's parameters for exactly the rows that the page shows."""
        return {**self.params, **self.changes}

    @property
    def limit(self) -> str:
        limit = self.params.get("limit") or str(SHOWN)
        whole = is_whole(limit) and len(limit) <= LONGEST_NUMBER
        return str(min(int(limit), SHOWN_AT_MOST)) if whole else limit

    @cached_property
    def grouping(self) -> Grouping | None:
        try:
            return grouping.read(self.model, self.params)
        except BadQuery:
            return None  # the query reports the error

    @property
    def columns(self) -> Columns:
        """The columns of the table, or of its groups."""
        return self.grouping.columns if self.grouping else columns.of(self.model)

    @cached_property
    def charts(self) -> dict[str, str]:
        """The charts to choose from. Labels are the columns of groups, or texts and dates."""
        fields = self.columns.fields
        labels = [field for field in fields if kind(field) != "number"]
        if self.grouping:
            labels = self.grouping.by
        numbers = [field for field in fields if kind(field) == "number"]
        return charts.choices(labels, [field for field in numbers if field not in labels])

    @cached_property
    def chart(self) -> str:
        """The columns of the chart: `label,value`."""
        declared = [column(self.model, n.removeprefix("-")) for n in self.model.mirror.order]
        sorted_by = [*self.params.get("order_by", "").split(","), *declared]
        return charts.choice(self.charts, self.address.get("chart", ""), sorted_by)

    @property
    def api(self) -> str:
        return address(f"/api/{self.table}/", self.api_params)

    @property
    def files(self) -> list[tuple[str, str]]:
        """Kinds of files with every row of the query, and their addresses."""
        whole = {**self.api_params, **dict.fromkeys(OF_PAGES)}
        path = f"/api/{self.table}/"
        return [(kind, address(path, {**whole, "format": name})) for name, kind in FILES.items()]

    def link(self, changes: dict[str, str | None]) -> str:
        """This address with other parameters; None removes one."""
        own = {name: self.address.get(name) for name in ("view", "chart")}
        return address(PATH, {"table": self.table, **self.params, **own, **changes})

    @property
    def views(self) -> list[tuple[str, str]]:
        """Each view with its address."""
        return [(view, self.link({"view": None if view == "table" else view})) for view in VIEWS]

    def result(self) -> Result:
        """What the explorer shows. Raises the errors of `Query`."""
        self._check()
        lists = {**self.lists, **{name: [value] for name, value in self.changes.items()}}
        query = Query.read(self.model, params.read(lists.items()))
        return versions.read(self.model, lambda version: _result(query, version))

    def _check(self) -> None:
        for name in OWN:
            if (times := len(self.address.getlist(name))) > 1:
                raise repeated(name, times)
        if others := [name for name in NOT_SHOWN if name in self.lists]:
            raise BadQuery(f"{others[0]} is of the API alone: {self.api}")
        if self.view not in VIEWS:
            raise BadQuery(f"view: {self.view[:40]!r} is unknown.", VIEWS)


def _result(query: Query, version: TableVersion) -> Result:
    page = query.page(version)
    count, is_estimate = _count(query, version)
    return Result(query, version, page, count, is_estimate, query.facets(version))


def _count(query: Query, version: TableVersion) -> tuple[int, bool]:
    """The number of rows: exact, or the planner's estimate where counting costs too much."""
    if query.count_way != "estimated":
        with suppress(BadQuery, Unavailable, OperationalError):
            return query.count(version, "exact"), False
    return query.count(version, "estimated"), True
