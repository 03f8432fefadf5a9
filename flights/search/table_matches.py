"""What matches a search in one table: the values, and the rows that contain them."""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db import OperationalError, connections, models
from django.db.models import Q

from flights import links, versions
from flights.errors import BadQuery, Unavailable
from flights.mirror import MirroredTable, public
from flights.models import TableVersion
from flights.query import cost, counting, shared_slots

from .dictionary import Matches, Value
from .terms import Term

LONGEST_LINK = 2_000  # characters of an address; some programs cut longer ones

type Model = type[MirroredTable]


@dataclass(frozen=True)
class Part:
    """Values of a term, or of half a term. A matching row contains at least one of them."""

    term: Term
    matches: Matches


@dataclass(frozen=True)
class TableMatches:
    """The matching values of one version. Matching rows contain one of each part."""

    model: Model
    version: TableVersion
    parts: list[Part]

    def rows(self, limit: int, offset: int = 0) -> list[list[Any]]:
        """Return the rows that contain every term, in the order of the table."""
        if not self.is_possible:
            return []
        names = [field.name for field in self.model.columns()]
        order = [field.name for field in self.model.sequence()]
        page = self._rows().order_by(*order).values_list(*names)[offset : offset + limit]
        return [list(row) for row in cost.fetch(page, self.version)]

    def count(self) -> tuple[int, bool]:
        """The number of matching rows, and whether it is an estimate because counting is slow."""
        if not self.is_possible:
            return 0, False
        if (counted := self._counted()) is not None:
            return counted, False
        rows = self._rows()
        # The planner knows how frequent values are, but not which occur together.
        if len(self.parts) > 1 or _cost(rows, self.version) < shared_slots.HEAVY:
            with suppress(BadQuery, Unavailable, OperationalError):
                return counting.exact(rows, self.version), False
        return counting.estimated(rows), True

    @property
    def is_possible(self) -> bool:
        """Whether a row may match: every part has a value."""
        return bool(self.parts) and all(part.matches.values for part in self.parts)

    @property
    def params(self) -> dict[str, str] | None:
        """The query of exactly the matching rows; None if it would be too long."""
        if not self.is_possible or any(p.matches.total > len(p.matches.values) for p in self.parts):
            return None
        params: dict[str, str] = {}
        for part in self.parts:
            params |= self._condition_params(part, params)
        short = len(links.explorer(self.version.table, params)) <= LONGEST_LINK
        return params if short and "" not in params else None

    def _rows(self) -> "models.QuerySet[Any]":
        conditions = (_condition(self.model, part.matches) for part in self.parts)
        return versions.rows(self.model, self.version).filter(reduce(and_, conditions))

    def _counted(self) -> int | None:
        """The rows of the values of one column, which the dictionary knows."""
        values = self.parts[0].matches.values
        one_column = len(self.parts) == 1 and len({value.field for value in values}) == 1
        complete = self.parts[0].matches.total == len(values)
        return sum(value.rows for value in values) if one_column and complete else None

    def _condition_params(self, part: Part, params: dict[str, str]) -> dict[str, str]:
        conditions = {
            (name if len(texts) == 1 else f"{name}__in"): _list(texts)
            for name, texts in self._by_column(part.matches).items()
        }
        ((name, text), *others) = conditions.items()
        if not others and not any(name.split("__")[0] == p.split("__")[0] for p in params):
            return {name: text}
        groups = ["or", *(f"or{number}" for number in range(1, 10))]
        free = next((group for group in groups if group not in params), "")
        return {free: ",".join(f"{name}:{text}" for name, text in conditions.items())}

    def _by_column(self, matches: Matches) -> dict[str, list[str]]:
        columns: dict[str, list[str]] = {}
        for value in matches.values:
            name = public(self.model.columns()[value.field])
            columns.setdefault(name, []).append(value.text)
        return columns

    def ranked(self) -> list[Value]:
        """The matching values of all parts, the best first, each once."""
        best: dict[tuple[int, str], Value] = {}
        for value in sorted(
            (value for part in self.parts for value in part.matches.values),
            key=lambda value: (-value.score, -value.rows, value.field, value.text),
        ):
            best.setdefault((value.field, value.text), value)
        return list(best.values())

    @property
    def texts(self) -> list[str]:
        """What to mark in values that contain it."""
        return [part.term.text for part in self.parts]


def _cost(rows: "models.QuerySet[Any]", version: TableVersion) -> float:
    if version.rows < cost.LARGE:
        return 0
    return cost.of(connections[rows.db], *rows.query.get_compiler(rows.db).as_sql())


def _condition(model: Model, matches: Matches) -> Q:
    """Select the rows with one of the values in its column."""
    fields = model.columns()
    by_field: dict[int, list[Any]] = {}
    for value in matches.values:
        by_field.setdefault(value.field, []).append(fields[value.field].to_python(value.text))
    any_value = reduce(or_, (Q(**{f"{fields[i].name}__in": v}) for i, v in by_field.items()))
    # Bound the ids, so that PostgreSQL does not scan the table from its first row.
    first, last = min(v.first for v in matches.values), max(v.last for v in matches.values)
    return Q(id__gte=first, id__lte=last) & any_value


def _list(texts: list[str]) -> str:
    """The value of a filter: a single text unchanged, several as a list for the operator `in`."""
    if len(texts) == 1:
        return texts[0]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(texts)
    return line.getvalue()
