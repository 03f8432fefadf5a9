"""One column's controls in the form, by its type, and what they hold.

A control has the API's name for what it filters (`Total_Arrivals__gte`). The operator of a text is
a control of its own: `City:operator` and `City:text`, which no address has, as a submitted form
becomes `City__icontains`.
"""

from dataclasses import dataclass

from flights import versions
from flights.errors import BadQuery, NeverTransferred
from flights.mirror import GROUP, Field, MirroredTable, column, public
from flights.models import TableVersion
from flights.pages.formatting import kind, title
from flights.query import columns
from flights.query.filters import condition
from flights.tables import TABLES

OPERATORS = {
    "icontains": "contains",
    "exact": "is",
    "iexact": "is, in any case",
    "istartswith": "starts with",
    "iendswith": "ends with",
    "in": 'is one of "a","b"',
}
RANGE = {"gte": "low", "lte": "high"}
SUGGESTED = 1_000  # values at most; the browser narrows them down while a person types


@dataclass
class Control:
    field: Field
    operator: str = "icontains"
    text: str = ""
    low: str = ""
    high: str = ""
    empty: str = ""  # true: only rows without a value, false: only those with one

    @property
    def name(self) -> str:
        return public(self.field)

    @property
    def title(self) -> str:
        return title(self.field)

    @property
    def kind(self) -> str:
        return kind(self.field)

    @property
    def suggestions(self) -> str | None:
        """The table whose key lists the values of this column."""
        found = _listed(self.field) if self.kind == "text" else None
        return found[0]._meta.db_table if found else None

    def takes(self, lookup: str, value: str) -> bool:
        """Whether it can hold this condition as well; it does then."""
        held = self._held(lookup)
        if not held or not value or getattr(self, held):
            return False
        setattr(self, held, value.lower() if held == "empty" else value)
        if held == "text":
            self.operator = lookup
        return True

    def _held(self, lookup: str) -> str:
        """What of it holds conditions of this lookup, if anything does."""
        if lookup == "isnull":
            return "empty" if self.field.null else ""
        if self.kind == "text":
            return "text" if lookup in OPERATORS else ""
        return RANGE.get(lookup, "")


def controls(
    model: type[MirroredTable], filters: dict[str, str]
) -> tuple[list[Control], dict[str, str]]:
    """Every column's controls, and the filters that none of them can hold."""
    found = {field: Control(field) for field in model.columns()}
    rest = {}
    for name, value in filters.items():
        if GROUP.fullmatch(name):
            rest[name] = value
            continue
        try:
            field, lookup = condition(columns.of(model), name)
        except BadQuery:
            continue  # the API says what is wrong with it
        if not found[field].takes(lookup, value):
            rest[name] = value
    return list(found.values()), rest


def suggestions(shown: list[Control]) -> dict[str, list[str]]:
    """The values of each list that the controls name."""
    lists = {control.suggestions: _listed(control.field) for control in shown}
    return {name: _values(*listed) for name, listed in lists.items() if name and listed}


def _listed(field: Field) -> tuple[type[MirroredTable], str] | None:
    """The table with a row for each value: the key `City` also lists `Origin_City`."""
    for model in TABLES:
        key = model.mirror.key
        if len(key) == 1 and f"_{public(field)}".endswith(f"_{column(model, key[0])}"):
            return model, key[0]
    return None


def _values(model: type[MirroredTable], name: str) -> list[str]:
    def read(version: TableVersion) -> list[str]:
        every = versions.rows(model, version).order_by(name).values_list(name, flat=True)
        return list(every[:SUGGESTED])

    try:
        return versions.read(model, read)
    except NeverTransferred:
        return []
