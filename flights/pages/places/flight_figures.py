"""The figures of a flight number."""

from flights.entities.dates import WEEK
from flights.pages.charts import Columns, Figure, Lines, Series, Value

from . import delays, outcomes
from .outcomes import BY_SHARE, COUNT, SHARE, Row, figure, shares, total
from .page import LEAST

UNIT = "%"


def all_of(where: dict[str, str]) -> list[Figure]:
    arrivals = delays.where("Arrival_Delay_Minutes", where)
    first = delays.histogram("delays", "Arrival delays", arrivals)
    return [each for each in (first, *_months(where), _weekdays(where)) if each.rows]


def _months(where: dict[str, str]) -> list[Figure]:
    rows = shares(where, "month:Flight_Date")
    if len(rows.rows) < 2:
        return []
    values = [_value(outcomes.month(row["month_Flight_Date"]), row) for row in rows.rows]
    measure = f"{outcomes.ON_TIME}. At least {LEAST} flights a month."
    chart = Lines([Series("", values)], UNIT, "Month")
    return [figure("months", "On time by month", measure, chart, rows, total(rows.rows, BY_SHARE))]


def _weekdays(where: dict[str, str]) -> Figure:
    rows = shares(where, "Day_of_Week")
    by_day = {row["Day_of_Week"]: row for row in rows.rows}
    values = [_value(day, by_day[day]) for day in WEEK if day in by_day]
    measure = f"{outcomes.ON_TIME}. At least {LEAST} flights a day of the week."
    chart = Columns(values, UNIT, "Day of the week")
    flights = total(rows.rows, BY_SHARE)
    return figure("weekdays", "On time by day of the week", measure, chart, rows, flights)


def _value(label: str, row: Row) -> Value:
    return Value(label, row[SHARE] if row[COUNT] >= LEAST else None, row[COUNT])
