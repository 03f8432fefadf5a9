"""The caption of a figure: what its values are, of which rows, and what is left out."""

from typing import TYPE_CHECKING

from flights.mirror import public

from . import summary
from .chart_choice import HISTOGRAM

if TYPE_CHECKING:
    from .results import Result
    from .state import State

UNITS_OF_MEANING = ("minutes", "miles")  # units that the meaning of a value does not name


def caption(state: "State", result: "Result", unit: str, notes: list[str]) -> str:
    """Return the caption; `unit` is that of the values, `notes` say what is left out."""
    meaning = _meaning(state)
    of_unit = f" ({unit})" if unit in UNITS_OF_MEANING else ""
    first = f"{meaning[:1].upper()}{meaning[1:]}{of_unit}."
    if result.page.next or result.query.offset:
        first = f"{first} {_part(state, result)}"
    where = "; ".join(state.sentences)
    return " ".join([first, *([f"Only where {where}."] if where else []), *notes])


def _meaning(state: "State") -> str:
    value = state.choice.fields[-1]
    if state.choice.kind == HISTOGRAM:
        return f"number of {state.rows} by {value.help_text}"
    if text := state.units.measures.get(public(value)):
        return summary.measure_title(state, text)
    return str(value.help_text)


def _part(state: "State", result: "Result") -> str:
    """The rows that the chart shows, if they are not all rows."""
    first = result.query.offset + 1
    what = "Groups" if state.grouping else "Rows"
    last, total = first + len(result.page.rows) - 1, result.matches.text
    return f"{what} {first:,} to {last:,} of {total}."
