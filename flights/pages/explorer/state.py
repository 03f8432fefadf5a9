"""The state of the explorer: its URL contains the whole state.

`table`, `view`, `chart` and `language` are the explorer's own parameters. All others are the query
API's, and the same `Query` reads them, so both show the same rows and report the same errors.
`complete` counts everything before the page is sent, and `figure` requests one picture or its data;
links do not keep these two.
"""

from functools import cached_property
from typing import Any

from django.http import QueryDict

from flights import links
from flights.errors import BadQuery
from flights.mirror import Field, column
from flights.query import aggregates, columns, grouping, params
from flights.query.columns import Columns
from flights.query.grouping import Grouping
from flights.query.params import repeated
from flights.query.query import Query

from . import chart_query, drill
from .address import LANGUAGES, OWN, STICKY, VIEWS, Address
from .chart_choice import Choice, Choices
from .links import GROUPING, fitting
from .sentences import sentence
from .units import Units

FILES = {"csv": "CSV", "xlsx": "Excel", "parquet": "Parquet"}
NOT_SHOWN = ("format", "cursor")
OF_PAGES = ("limit", "offset", "count", "facets")  # parameters that a file of all rows lacks
OF_GROUPS = (*GROUPING, "having", "columns", "order_by", "offset", "chart", "view")


class State(Address):
    """The address, and what the page derives from it."""

    @property
    def sentences(self) -> list[str]:
        """The filters in words."""
        return [sentence(self.model, name, value) for name, value in self.filters.items()]

    @cached_property
    def changes(self) -> dict[str, str | None]:
        """Parameters that the explorer sets: the rows of a page, and what a chart reads."""
        return chart_query.changes(self) if self.view == "chart" else {"limit": self.limit}

    @cached_property
    def api_params(self) -> dict[str, str]:
        """The API's parameters for exactly the rows that the page shows."""
        return {n: v for n, v in {**self.params, **self.changes}.items() if v is not None}

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
    def measures(self) -> list[str]:
        """The values that are computed for each group, as `aggregate` has them."""
        texts = aggregates.parts(self.params.get("aggregate", "")) or ["count"]
        return list(dict.fromkeys(texts)) if self.grouping else []

    @cached_property
    def units(self) -> Units:
        return Units(self.model, self.grouping, self.params.get("aggregate", ""))

    @cached_property
    def choices(self) -> Choices:
        """The charts to choose from."""
        declared = [column(self.model, n.removeprefix("-")) for n in self.model.mirror.order]
        sorted_by = [*self.params.get("order_by", "").split(","), *declared]
        grouped = self.grouping is not None
        fixed = frozenset(name.removesuffix("__exact") for name in self.filters)
        return Choices(self.columns.fields, self._keys(), sorted_by, grouped, fixed)

    def _keys(self) -> list[Field]:
        if self.grouping:
            return self.grouping.by
        names = self.model.mirror.key
        return sorted(
            (field for field in self.columns.fields if field.name in names),
            key=lambda field: names.index(field.name),
        )

    @cached_property
    def choice(self) -> Choice:
        """The chart that the address names, or the best one."""
        return self.choices.find(self.address.get("chart", ""))

    @property
    def api(self) -> str:
        return links.rows(self.table, self.api_params)

    @property
    def files(self) -> list[tuple[str, str]]:
        """Kinds of files with every row of the query, and their addresses."""
        whole = {**self.api_params, **dict.fromkeys(OF_PAGES)}
        return [
            (kind, links.rows(self.table, {**whole, "format": name}))
            for name, kind in FILES.items()
        ]

    def link(self, changes: dict[str, str | None]) -> str:
        """This address with other parameters; None removes one."""
        own = {name: self.address.get(name) for name in STICKY}
        changed = {**self.params, **own, **changes}
        if any(name in changes for name in GROUPING):
            changed = self._fitting({n: v for n, v in changed.items() if v is not None})
        return links.explorer(self.table, changed)

    def _fitting(self, changed: dict[str, str]) -> dict[str, str | None]:
        """The parameters without what no longer fits the groups."""
        own = {name: changed.pop(name) for name in OWN if name in changed}
        fit = fitting(self.model, changed)
        other = State(self.model, QueryDict(mutable=True))
        other.address.update(fit)
        try:
            other.choices.find(own.get("chart", ""))
        except BadQuery:
            own = {name: value for name, value in own.items() if name not in ("chart", "view")}
        return {**own, **fit}

    def rows_of_group(self, row: dict[str, Any]) -> str:
        """The address of the rows that a group consists of; "" for a row that is no group."""
        if not self.grouping:
            return ""
        conditions = drill.conditions(self.grouping, row, self.filters)
        none = dict.fromkeys(OF_GROUPS)
        return "" if conditions is None else self.link({**none, **conditions})

    @property
    def complete_link(self) -> str:
        """This page with everything counted."""
        return self.link({"complete": "yes"})

    @property
    def views(self) -> list[tuple[str, str]]:
        """Each view with its address."""
        return [(view, self.link({"view": None if view == "table" else view})) for view in VIEWS]

    def query(self) -> Query:
        """The query of the rows that are shown. Raises BadQuery."""
        self._check()
        lists = {**self.lists, **{n: [v] for n, v in self.changes.items() if v is not None}}
        left_out = [name for name, value in self.changes.items() if value is None]
        remaining = [(name, values) for name, values in lists.items() if name not in left_out]
        return Query.read(self.model, params.read(remaining))

    def _check(self) -> None:
        for name in OWN:
            if (times := len(self.address.getlist(name))) > 1:
                raise repeated(name, times)
        if others := [name for name in NOT_SHOWN if name in self.lists]:
            raise BadQuery(f"The explorer has no {others[0]}. Use the API: {self.api}")
        if self.view not in VIEWS:
            raise BadQuery(f"view: {self.view[:40]!r} is unknown.", VIEWS)
        if self.language not in LANGUAGES:
            raise BadQuery(f"language: {self.language[:40]!r} is unknown.", list(LANGUAGES))
