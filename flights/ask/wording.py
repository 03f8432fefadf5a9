"""Say in English what a plan computes: its figure, and what its groups are.

A sentence is made of the plan alone. So it describes the figures that were computed, whoever made
the plan.
"""

import re
from typing import Any, NamedTuple

from .plan import Plan

SHARE = re.compile(r"share:(Arrival|Departure)_Delay_Minutes(?:__)?(\w*):(-?\d+)")
MINUTES = re.compile(r"(avg|median|max|min|p\d+|disc\d+):(Arrival|Departure)_Delay_Minutes")
OUTCOMES = {
    "On_Time_Arrivals": "arrived on time",
    "Late_Arrivals": "arrived 15 minutes late or more",
    "Cancelled_Flights": "were cancelled",
    "Diverted_Flights": "were diverted",
}
CONDITIONS = {
    ("Departure_Delay_Minutes__isnull", "true"): "were cancelled",
    ("Departure_Delay_Minutes__isnull", "false"): "were not cancelled",
    ("Cancelled", "true"): "were cancelled",
    ("Cancelled", "false"): "were not cancelled",
    ("Diverted", "true"): "were diverted",
}
THINGS = {
    "Airline_Code": "airline",
    "Origin": "airport",
    "Destination": "destination",
    "Airport": "airport",
    "Day_of_Week": "day of the week",
    "Flight_Date": "day",
    "Scheduled_Departure_Hour": "hour",
    "Month": "month",
    "Flight_Number": "flight number",
}


class Measured(NamedTuple):
    """The figure of a plan in words."""

    kind: str  # percent, count, number or minutes
    words: str  # what the flights did; of number and minutes, the name of the figure
    unit: str


def measured(plan: Plan) -> Measured:
    """The first aggregate of a plan in words."""
    text = plan.aggregates[0]
    function, _, argument = text.partition(":")
    if function == "percent":
        return Measured(
            "percent", OUTCOMES.get(argument.partition("/")[0], readable(argument)), "percent"
        )
    if function == "share":
        return Measured("percent", _share(text), "percent")
    if text in ("count", "sum:Scheduled_Flights"):
        return Measured("count", _done(plan) or "were scheduled", "flights")
    if function == "sum":
        return Measured("count", OUTCOMES.get(argument, readable(argument)), "flights")
    if function == "count_distinct":
        thing = THINGS.get(argument, readable(argument))
        return Measured("number", thing, f"{thing}s")
    return Measured("minutes", _minutes(text), "minutes")


def _share(text: str) -> str:
    argument = text.partition(":")[2]
    name, _, value = argument.partition(":")
    if (name, value) in CONDITIONS:
        return CONDITIONS[name, value]
    match = SHARE.fullmatch(text)
    return delayed(*match.groups()) if match else f"have {readable(name)} {value}"


def delayed(side: str, operator: str, minutes: str) -> str:
    """What flights with a delay did: `arrived more than 60 minutes late`."""
    verb = "arrived" if side == "Arrival" else "departed"
    number = int(minutes)
    if (operator, number) == ("lt", 15):
        return f"{verb} on time"
    if (operator, number) == ("lt", 0):
        return f"{verb} early"
    forms = {
        "gte": f"{verb} {number} minutes late or more",
        "gt": f"{verb} more than {number} minutes late",
        "lt": f"{verb} less than {number} minutes late",
        "lte": f"{verb} at most {number} minutes late",
    }
    return forms.get(operator, f"{verb} exactly {number} minutes late")


def _minutes(text: str) -> str:
    if text == "avg:Elapsed_Minutes":
        return "average time from gate to gate"
    match = MINUTES.fullmatch(text)
    if not match:
        function, _, column = text.partition(":")
        names = {"avg": "average", "max": "longest", "min": "shortest"}
        return f"{names.get(function, function)} {readable(column)}".replace(" Minutes", "").lower()
    function, side = match[1], match[2].lower()
    names = {
        "avg": "average",
        "max": "longest",
        "min": "smallest",
        "median": "median",
        "disc50": "median",
    }
    percentile = re.sub(r"\D", "", function)
    return f"{names.get(function) or f'{percentile}th percentile of the'} {side} delay"


def _done(plan: Plan) -> str:
    """What counted flights did, if a filter of the plan says so."""
    for name, value in plan.filters:
        if (name, value) in CONDITIONS:
            return CONDITIONS[name, value]
        if match := SHARE.fullmatch(f"share:{name}:{value}"):
            return delayed(*match.groups())
    return ""


def readable(name: str) -> str:
    """The name of a column in words."""
    return name.replace("__", " ").replace("_", " ")


def thing(plan: Plan) -> str:
    """What each group of a plan is: airline, route, month..."""
    keys = plan.group_by
    if set(keys) == {"Origin", "Destination"}:
        return "route"
    if "Flight_Number" in keys:
        return "flight number"
    if len(keys) == 1 and ":" in keys[0]:
        return keys[0].partition(":")[0]
    return " and ".join(THINGS.get(key, readable(key)) for key in keys)


def together(names: list[str]) -> str:
    """`A`, `A and B` or `A, B and C`."""
    *before, last = names or [""]
    return f"{', '.join(before)} and {last}" if before else last


def number(value: Any) -> str:
    """`1,234`, `79.36`; a minus sign before negative numbers."""
    text = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return text.replace("-", "−")  # noqa: RUF001
