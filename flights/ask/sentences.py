"""The sentence of an answer: the figure, the number of flights, and what was counted."""

import re

from . import selection, wording
from .figures import Figure, Figures
from .plan import LEAST, Plan
from .wording import Measured, number

MOST_NAMED = 5  # groups that a sentence names
DEFINITION = " (less than 15 minutes late)"


def sentence(plan: Plan, figures: Figures) -> str:
    """One or two sentences with the figures of a plan."""
    measured = wording.measured(plan)
    if not plan.group_by:
        text = _all(plan, figures.rows[0], measured)
    elif plan.order_by and plan.order_by[0].lstrip("-") == plan.column(plan.aggregates[0]):
        text = _ranking(plan, figures, measured)
    else:
        text = _in_order(plan, figures.rows, measured)
    text = re.sub(r"(?<![\d,.])1 flights\b", "1 flight", text)
    return text.replace(" on time", f" on time{DEFINITION}", 1)


def _all(plan: Plan, figure: Figure, measured: Measured) -> str:
    """The sentence of a figure of all matching flights."""
    flights = selection.flights(plan)
    counted = f"{number(figure.flights)} {flights}"
    if measured.kind == "percent":
        return f"{number(figure.value)} % of {counted} {measured.words}.{_few(figure)}"
    if measured.kind == "count":
        of = f" of {number(figure.flights)}" if figure.value != figure.flights else ""
        return f"{number(figure.value)}{of} {flights} {measured.words}."
    if measured.kind == "number":
        things = measured.words if figure.value == 1 else measured.unit
        return f"{number(figure.value)} {things}: {counted} were scheduled."
    return f"The {measured.words} of {counted} is {_minutes(figure)}.{_few(figure)}"


def _few(figure: Figure) -> str:
    """What to say about few flights; empty if there are enough."""
    return f" Figures of fewer than {LEAST} flights are mostly chance." * (figure.flights < LEAST)


def _ranking(plan: Plan, figures: Figures, measured: Measured) -> str:
    rows, where = figures.rows, selection.where(plan)
    if len(rows) == plan.limit and len(rows) <= MOST_NAMED:
        by = f"flights that {measured.words}" if _of_flights(measured) else measured.words
        named = "; ".join(f"{row.label}: {_short(row, measured)}" for row in rows)
        return f"The first {len(rows)} by {by} {where}: {named}."
    first, last = rows[0], rows[-1]
    if len(rows) == 1 and not figures.more:
        least = f"at least {LEAST} flights" if plan.having else "any flight"
        return f"{first.label}: {_figure(first, where, measured)}. No other has {least}."
    ends = ("highest", "lowest") if plan.order_by[0].startswith("-") else ("lowest", "highest")
    other = f"; the {ends[1]} is {last.label}, {_short(last, measured)}"
    return (
        f"{first.label}: {_figure(first, where, measured)}."
        f" This is the {ends[0]} of {_among(plan, figures)}"
        f"{'' if figures.more else other}."
    )


def _in_order(plan: Plan, rows: list[Figure], measured: Measured) -> str:
    """The sentence of groups in their own order, such as months."""
    where, thing = selection.where(plan), wording.thing(plan)
    enough = [row for row in rows if row.flights >= LEAST] or rows
    high, low = (end(enough, key=lambda row: row.value or 0) for end in (max, min))
    flights = f"flights {where} that {measured.words}"
    about = flights if _of_flights(measured) else f"{measured.words} {where}"
    few = len(rows) - len(enough)
    left_out = f" Left out: {few} with fewer than {LEAST} flights." if few else ""
    return (
        f"By {thing}, {about}: highest for {high.label}, {_short(high, measured)};"
        f" lowest for {low.label}, {_short(low, measured)}.{left_out}"
    )


def _of_flights(measured: Measured) -> bool:
    return measured.kind in ("percent", "count")


def _figure(row: Figure, where: str, measured: Measured) -> str:
    flights = f"{number(row.flights)} flights {where}"
    if measured.kind == "percent":
        return f"{number(row.value)} % of {flights} {measured.words}"
    if measured.kind == "count":
        of = f" of {number(row.flights)}" if row.value != row.flights else ""
        return f"{number(row.value)}{of} flights {where} {measured.words}"
    return f"the {measured.words} of {flights} is {_minutes(row)}"


def _short(row: Figure, measured: Measured) -> str:
    if measured.kind == "percent":
        return f"{number(row.value)} % of {number(row.flights)} flights"
    if measured.kind == "count":
        of = f" of {number(row.flights)}" if row.value != row.flights else ""
        return f"{number(row.value)}{of} flights"
    return f"{number(row.value)} {measured.unit}, {number(row.flights)} flights"


def _minutes(figure: Figure) -> str:
    assert figure.value is not None
    unit = "minute" if abs(figure.value) == 1 else "minutes"
    return f"{number(figure.value)} {unit}{' (early)' if figure.value < 0 else ''}"


def _among(plan: Plan, figures: Figures) -> str:
    least = f" with at least {LEAST} flights" if plan.having else ""
    thing = wording.thing(plan)
    things = "days of the week" if thing == "day of the week" else f"{thing}s"
    if figures.more:
        return f"all {things}{least}"
    return f"{len(figures.rows)} {things}{least}"
