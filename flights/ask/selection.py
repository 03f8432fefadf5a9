"""Say in English which flights a plan selects: its filters, and its period."""

from datetime import date, timedelta

from flights.mirror import public
from flights.query import columns, operators
from flights.query.filters import column_operator

from . import figures, periods
from .plan import Plan
from .wording import CONDITIONS, SHARE, readable, together


def flights(plan: Plan) -> str:
    """The flights of a plan: `JetBlue Airways (B6) flights from New York JFK on Mondays`."""
    values = dict(plan.filters)
    number, airline = values.pop("Flight_Number", None), _airlines(values)
    noun = f"{airline} flights" if airline else "flights"
    numbered = [f"with number {number}"] if number else []
    return " ".join([noun, *numbered, *_parts(plan, values)])


def where(plan: Plan) -> str:
    """The filters of a plan's groups: `from New York JFK on Mondays in 2013`.

    A column by which the flights are grouped is left out: each group has its label.
    """
    filters = dict(plan.filters)
    values = {
        name: v
        for name, v in filters.items()
        if name.partition("__")[0] not in plan.group_by[:2]
        or "Date" in name
        or name.startswith("Month")
    }
    number, airline = values.pop("Flight_Number", None), _airlines(values)
    of = [f"of {airline}"] if airline else []
    numbered = [f"with number {number}"] if number else []
    return " ".join([*of, *numbered, *_parts(plan, values)])


def _parts(plan: Plan, values: dict[str, str]) -> list[str]:
    direction = values.pop("Direction", "departing")
    at = "from" if direction == "departing" else "to"
    parts = [
        _places(values, "Airport", at),
        _places(values, "Origin", "from"),
        _places(values, "Destination", "to"),
        _days(values),
        _hours(values),
        _period(values),
    ]
    return [*filter(None, parts), *_others(plan, values)]


def _listed(values: dict[str, str], column: str) -> list[str]:
    text = values.pop(column, "") or values.pop(f"{column}__in", "")
    return text.split(",") if text else []


def _airlines(values: dict[str, str]) -> str:
    return together([figures.airline(code) for code in _listed(values, "Airline_Code")])


def _places(values: dict[str, str], column: str, preposition: str) -> str:
    names = together([figures.airport(code) for code in _listed(values, column)])
    return f"{preposition} {names}" if names else ""


def _days(values: dict[str, str]) -> str:
    days = _listed(values, "Day_of_Week")
    return f"on {together([f'{day}s' for day in days])}" if days else ""


def _hours(values: dict[str, str]) -> str:
    hours = _between(values, "Scheduled_Departure_Hour")
    if not hours:
        return ""
    first, last = (int(hour) for hour in hours)
    return f"scheduled to leave from {first:02}:00 to {last:02}:59"


def _between(values: dict[str, str], column: str) -> tuple[str, str] | None:
    """The first and the last value that the filters of a column leave; None if they are others."""
    ends = f"{column}__gte", f"{column}__lte"
    if column in values:
        return (values[column], values.pop(column))
    return (values.pop(ends[0]), values.pop(ends[1])) if set(ends) <= values.keys() else None


def _period(values: dict[str, str]) -> str:
    """The days of a plan; without a filter, those of all flights."""
    for column in ("Flight_Date", "Month"):
        if days := _between(values, column):
            first, last = map(date.fromisoformat, days)
            return _in(first, _last(column, last))
    return _in(*periods.coverage())


def _last(column: str, day: date) -> date:
    return (
        (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        if column == "Month"
        else day
    )


def _in(first: date, last: date) -> str:
    words = periods.words((first, last))
    return f"on {words}" if first == last else f"{'from' if ' to ' in words else 'in'} {words}"


def _others(plan: Plan, values: dict[str, str]) -> list[str]:
    """Filters of other columns, by the labels of their operators."""
    texts, known = [], columns.of(plan.model)
    for name, value in values.items():
        if (name, value) in CONDITIONS or SHARE.fullmatch(f"share:{name}:{value}"):
            continue  # `wording.measured` says it
        field, operator = column_operator(known, name)
        plain, negated = operators.split(operator)
        label = operators.OPERATORS[plain].label
        texts.append(f"where {readable(public(field))} {'not ' * negated}{label} {value}")
    return texts
