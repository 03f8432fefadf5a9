"""The operators of filters: `Total_Arrivals__gte=10` has the operator `gte`.

Each operator is the Django lookup of the same name. `not_` before it selects the other rows.
"""

from typing import NamedTuple

from django.db import models

from flights.mirror import Field


class Operator(NamedTuple):
    name: str
    label: str  # for people: "City starts with Chi"
    for_texts_only: bool = False


_ALL = [
    Operator("exact", "is"),
    Operator("gt", ">"),
    Operator("gte", "≥"),
    Operator("lt", "<"),
    Operator("lte", "≤"),
    Operator("in", "is one of"),
    Operator("isnull", "is empty"),
    Operator("iexact", "is (ignoring case)", for_texts_only=True),
    Operator("contains", "contains (case-sensitive)", for_texts_only=True),
    Operator("icontains", "contains", for_texts_only=True),
    Operator("startswith", "starts with (case-sensitive)", for_texts_only=True),
    Operator("istartswith", "starts with", for_texts_only=True),
    Operator("endswith", "ends with (case-sensitive)", for_texts_only=True),
    Operator("iendswith", "ends with", for_texts_only=True),
]
OPERATORS = {operator.name: operator for operator in _ALL}
OF_TEXTS = list(OPERATORS)
OF_OTHERS = [operator.name for operator in _ALL if not operator.for_texts_only]


def names(field: Field) -> list[str]:
    """The operators that a column has."""
    if isinstance(field, models.BinaryField):
        return ["isnull"]
    return OF_TEXTS if isinstance(field, models.TextField) else OF_OTHERS


def split(name: str) -> tuple[str, bool]:
    """The operator without `not_` before it, and whether it is negated."""
    if name == "not":
        return "exact", True
    return name.removeprefix("not_"), name.startswith("not_")
