"""The controls of one column in the form, by its type, and their values.

A control is named like the filter that it sets (`Total_Arrivals__gte`). A text has two controls,
`City:operator` and `City:text`; the submitted form turns them into `City__icontains`.
"""

from dataclasses import dataclass

from flights import versions
from flights.errors import BadQuery, NeverTransferred
from flights.mirror import GROUP, Field, MirroredTable, column, public
from flights.models import TableVersion
from flights.pages.formatting import kind, title
from flights.query import columns
from flights.query.filters import column_operator
from flights.query.operators import OPERATORS
from flights.tables import TABLES

# The operators that the form offers for texts, with their labels.
CHOICES = {
    name: OPERATORS[name].label
    for name in ("icontains", "exact", "iexact", "istartswith", "iendswith", "in")
} | {"in": 'is one of "a","b"'}
RANGE = {"gte": "low", "lte": "high"}
SUGGESTED = 1_000  # values at most; the browser filters them while a person types


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
        listed = _listed(self.field) if self.kind == "text" else None
        return listed[0]._meta.db_table if listed else None

    def takes(self, operator: str, value: str) -> bool:
        """Show a condition in this control. False where its input is taken or missing."""
        name = self._input(operator)
        if not name or not value or getattr(self, name):
            return False
        setattr(self, name, value.lower() if name == "empty" else value)
        if name == "text":
            self.operator = operator
        return True

    def _input(self, operator: str) -> str:
        """The attribute that shows conditions with an operator; "" where none does."""
        if operator == "isnull":
            return "empty" if self.field.null else ""
        if self.kind == "text":
            return "text" if operator in CHOICES else ""
        return RANGE.get(operator, "")


def read(
    model: type[MirroredTable], filters: dict[str, str]
) -> tuple[list[Control], dict[str, str]]:
    """The controls of every column, and the filters that no control can hold."""
    controls = {field: Control(field) for field in model.columns()}
    rest = {}
    for name, value in filters.items():
        if GROUP.fullmatch(name):
            rest[name] = value
            continue
        try:
            field, operator = column_operator(columns.of(model), name)
        except BadQuery:
            continue  # the query reports the error
        if not controls[field].takes(operator, value):
            rest[name] = value
    return list(controls.values()), rest


def suggestions(controls: list[Control]) -> dict[str, list[str]]:
    """The values of each list that the controls name."""
    lists = {control.suggestions: _listed(control.field) for control in controls}
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
