"""The controls of one column in the form, by its type, and their values.

A control is named like the filter that it sets (`Total_Arrivals__gte`). A text has two controls,
`City:operator` and `City:text`; the submitted form turns them into `City__icontains`.
"""

from dataclasses import dataclass

from flights.errors import BadQuery
from flights.mirror import GROUP, Field, MirroredTable, public
from flights.pages.formatting import kind, title
from flights.query import columns
from flights.query.filters import column_operator
from flights.query.operators import OPERATORS

# The operators that the form offers for texts, with their labels.
CHOICES = {
    name: OPERATORS[name].label
    for name in ("icontains", "exact", "iexact", "istartswith", "iendswith", "in")
} | {"in": 'is one of "a","b"'}
RANGE = {"gte": "low", "lte": "high"}


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
    def is_set(self) -> bool:
        return bool(self.text or self.low or self.high or self.empty)

    def takes(self, operator: str, value: str) -> bool:
        """Show a condition in this control. False if its input is taken or missing."""
        name = self._input(operator)
        if not name or not value or getattr(self, name):
            return False
        setattr(self, name, value.lower() if name == "empty" else value)
        if name == "text":
            self.operator = operator
        return True

    def _input(self, operator: str) -> str:
        """The attribute that shows conditions with an operator; "" if none does."""
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
