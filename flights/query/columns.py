"""The columns that a query can name: those of a table, or those of its groups."""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from flights.errors import BadQuery
from flights.mirror import Field, MirroredTable, public

from . import limits


class Columns:
    """Columns by name in any case; errors say that they are the columns `of` something."""

    def __init__(self, of: str, fields: Iterable[Field]) -> None:
        self.of = of
        self.fields = list(fields)
        self.names = [public(field) for field in self.fields]
        self._known = {
            name.lower(): field for name, field in zip(self.names, self.fields, strict=True)
        }

    @cached_property
    def comma_before_condition(self) -> re.Pattern[str]:
        """The comma before `column:value` or `column__operator:value`."""
        names = "|".join(map(re.escape, self.names))
        return re.compile(rf",(?=\s*(?:{names})(?:__\w+)?\s*:)", re.IGNORECASE)

    def __contains__(self, name: str) -> bool:
        return name.strip().lower() in self._known

    def find(self, name: str) -> Field:
        """The column of a name; BadQuery lists the columns."""
        try:
            return self._known[name.strip().lower()]
        except KeyError:
            problem = f"{self.of} has no column {name.strip()[:80]!r}."
            raise BadQuery(problem, self.names) from None

    def listed(self, names: str) -> list[Field]:
        """The columns of names with commas between, each once."""
        parts = [name for name in names.split(",") if name.strip()]
        limits.at_most(limits.COLUMNS, len(parts), "columns")
        return list(dict.fromkeys(map(self.find, parts)))

    def chosen(self, names: str) -> list[Field]:
        """The columns of names; all of them for `*`, for no name and for commas alone."""
        named = [] if names.strip() == "*" else self.listed(names)
        return named or self.fields


@lru_cache
def of(model: type[MirroredTable]) -> Columns:
    """A table's own columns."""
    return Columns(model._meta.db_table, model.columns())
