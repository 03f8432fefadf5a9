"""Filters in words: "City is not: Boston"."""

from flights.errors import BadQuery
from flights.mirror import GROUP, MirroredTable
from flights.pages.formatting import title
from flights.query import columns, operators
from flights.query.filters import column_operator, split
from flights.query.operators import OPERATORS


def sentence(model: type[MirroredTable], name: str, value: str) -> str:
    """A filter in words; unchanged if it cannot be read."""
    try:
        if GROUP.fullmatch(name):
            either = split(name, value, columns.of(model))
            return " or ".join(sentence(model, *each) for each in either)
        field, operator = column_operator(columns.of(model), name)
    except BadQuery:
        return f"{name} = {value}"
    plain, negated = operators.split(operator)
    text = f"{OPERATORS[plain].label} {value}"
    if plain == "isnull":
        text = "is empty" if value.lower() == "true" else "has a value"
    return f"{title(field)} {f'not: {text}' if negated else text}"
