"""What an address of the explorer asks for.

`table`, `view` and `chart` are the explorer's own; every other parameter is the API's, and the
API's own code answers it: both show the same and refuse the same.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, QueryDict
from rest_framework.response import Response

from flights.api.views import TableView
from flights.errors import BadQuery, Unavailable
from flights.errors.responses import error_response
from flights.mirror import RESERVED, MirroredTable, column
from flights.models import TableVersion
from flights.pages import charts
from flights.pages.formatting import address, kind
from flights.query import columns, grouping
from flights.query.columns import Columns
from flights.query.grouping import Grouping
from flights.query.query import LONGEST_NUMBER, Query, is_whole

PATH = "/explorer"
FILES = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}  # the formats that people ask for
OWN = ("table", "view", "chart")
NOT_SHOWN = ("format", "cursor")
OF_PAGES = ("limit", "offset", "count", "facets")  # which a file of all rows does not have
VIEWS = ["table", "chart"]
SHOWN = 50
# A page of 500 rows is 250 kB; the API and its CSV give more.
SHOWN_AT_MOST = 500


class Counted(TableView):
    """Rows with their number: counted, or as the planner guesses where to count costs too much."""

    def counted(self, asked: Query, version: TableVersion) -> dict[str, str]:
        try:
            return super().counted(asked, version)
        except (BadQuery, Unavailable, OperationalError):
            self.count = "estimated"
            return super().counted(asked, version)


@dataclass
class State:
    model: type[MirroredTable]
    asked: QueryDict

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
        return self.asked.get("view") or "table"

    @cached_property
    def given(self) -> QueryDict:
        """The API's parameters as they were given; it refuses one that is given twice."""
        found = QueryDict(mutable=True)
        for name, values in self.asked.lists():
            known = name.lower() if name.lower() in RESERVED else name
            if known not in OWN:
                found.setlist(known, [*found.getlist(known), *values])
        return found

    @cached_property
    def query(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.given.items()}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The API's parameters for exactly what is shown."""
        drawn = {"columns": self.chart} if self.view == "chart" else {}
        return {**self.query, "limit": self.limit, **drawn}

    @property
    def limit(self) -> str:
        limit = self.query.get("limit") or str(SHOWN)
        whole = is_whole(limit) and len(limit) <= LONGEST_NUMBER
        return str(min(int(limit), SHOWN_AT_MOST)) if whole else limit

    @cached_property
    def grouping(self) -> Grouping | None:
        try:
            return grouping.read(self.model, self.query)
        except BadQuery:
            return None  # the API says what is wrong with it

    @property
    def columns(self) -> Columns:
        """Those of the table, or of the groups that its rows are in."""
        return self.grouping.columns if self.grouping else columns.of(self.model)

    @cached_property
    def charts(self) -> dict[str, str]:
        """Groups are labelled by what they are grouped by, rows by what is no number."""
        fields = self.columns.fields
        labels = [field for field in fields if kind(field) != "number"]
        if self.grouping:
            labels = self.grouping.by
        numbers = [field for field in fields if kind(field) == "number"]
        return charts.choices(labels, [field for field in numbers if field not in labels])

    @cached_property
    def chart(self) -> str:
        """`label,value`: the columns that are drawn."""
        declared = [column(self.model, n.removeprefix("-")) for n in self.model.mirror.order]
        sorted_by = [*self.query.get("order_by", "").split(","), *declared]
        return charts.choice(self.charts, self.asked.get("chart", ""), sorted_by)

    @property
    def api(self) -> str:
        return address(f"/api/{self.table}/", self.parameters)

    @property
    def files(self) -> list[tuple[str, str]]:
        """Every row of the query, not this page alone: kinds of files and their addresses."""
        whole = {**self.parameters, **dict.fromkeys(OF_PAGES)}
        path = f"/api/{self.table}/"
        return [(kind, address(path, {**whole, "format": name})) for name, kind in FILES.items()]

    def link(self, changes: dict[str, str | None]) -> str:
        """The same with other parameters; None takes one away."""
        own = {name: self.asked.get(name) for name in ("view", "chart")}
        return address(PATH, {"table": self.table, **self.query, **own, **changes})

    @property
    def views(self) -> list[tuple[str, str]]:
        """Each view with its address."""
        return [(view, self.link({"view": None if view == "table" else view})) for view in VIEWS]

    def answer(self) -> Response:
        """What the API answers, or why it does not."""
        try:
            self._check()
            return self._ask()
        except BadQuery as error:
            told = error_response(error, {})
            assert told
            return told

    def _check(self) -> None:
        for name in OWN:
            if (times := len(self.asked.getlist(name))) > 1:
                raise BadQuery(f"{name} is given {times} times. Give it once.")
        if others := [name for name in NOT_SHOWN if name in self.given]:
            raise BadQuery(f"{others[0]} is of the API alone: {self.api}")
        if self.view not in VIEWS:
            raise BadQuery(f"view: {self.view[:40]!r} is no view.", VIEWS)

    def _ask(self) -> Response:
        asked = HttpRequest()
        asked.method, asked.path = "GET", f"/api/{self.table}/"
        parameters = self.given.copy()
        for name in self.parameters.keys() & {"limit", "columns"}:
            parameters[name] = self.parameters[name]
        parameters.setdefault("count", "exact")
        asked.GET = parameters  # type: ignore[assignment]  # the stubs know unchangeable ones only
        # The page was charged.
        ask: Any = Counted.as_view({"get": "list"}, model=self.model, throttle_classes=[])
        answered = ask(asked)
        assert isinstance(answered, Response)
        return answered
