"""`/days/`: the days of a year, as a calendar and ranked by punctuality."""

from datetime import date

from flights import links
from flights.errors import BadQuery
from flights.models.mirrored import PerformanceByDate
from flights.pages import formatting, on_time, table_rows
from flights.pages.charts import Bars, Figure, Grid, Value
from flights.pages.formatting import percent
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .outcomes import BY_ROW, Row, figure, share_cell, total, whole
from .page import Cell, Choice, Listing, Page
from .ranking import Ranking

UNIT = "%"
BARS = 15  # of the figure


def build(params: dict[str, str]) -> Page:
    first, last = known.period()
    years = [str(year) for year in range(first.year, last.year + 1)]
    year = params.get("year") or years[-1]
    if year not in years:
        raise BadQuery(f"year: {year[:40]!r} is not a year of the published tables.", years)
    where = {"Flight_Date__gte": f"{year}-01-01", "Flight_Date__lte": f"{year}-12-31"}
    rows = table_rows.read(PerformanceByDate, where)
    ranking = Ranking.read(params, rows.rows, BY_ROW, "worst")
    choices = [Choice("year", "Year", year, [(y, y) for y in years]), ranking.choice]
    return Page(
        kind="Days",
        above=("Home", "/"),
        title=f"Days of {year}",
        answer=_answer(year, rows.rows),
        flights=None,
        figures=[f for f in (_calendar(rows), _ranking(ranking, rows)) if f.rows],
        listings=[_listing(ranking, rows)],
        choices=choices,
        pager=ranking.pager({choice.name: choice.value for choice in choices}),
        notes=outcomes.NOTES,
        indexed=ranking.page == 1 and ranking.order == "worst",
    )


def _answer(year: str, rows: list[Row]) -> str:
    ranking = outcomes.ranked(rows, BY_ROW)
    if not ranking:
        return f"No day of {year} has figures about {on_time.least()}."
    compared = outcomes.best_and_worst(ranking, BY_ROW, _name)
    most = max(rows, key=lambda row: row["Cancelled_Flights"] or 0)
    cancelled = formatting.count(most["Cancelled_Flights"] or 0, "flight")
    extremes = f"Of the days of {year} {compared}; " if compared else ""
    return f"{extremes}most flights were cancelled on {_name(most)} ({cancelled})."


def _name(row: Row) -> str:
    return formatting.day(row["Flight_Date"])


def _url(row: Row) -> str:
    return links.day(row["Flight_Date"])


def _calendar(rows: TableRows) -> Figure:
    """A line for each month, a field for each day."""
    by_day = {row["Flight_Date"]: row for row in rows.rows}
    months = sorted({day.replace(day=1) for day in by_day})
    lines = [(f"{m:%b}", [_field(by_day, m, n) for n in range(1, 32)]) for m in months]
    grid = Grid(lines, [str(n) for n in range(1, 32)], UNIT, ("Month", "Day"), "high")
    flights = total(rows.rows, BY_ROW)
    return figure("calendar", "On time by day", outcomes.ON_TIME, grid, rows, flights)


def _field(by_day: dict[date, Row], month: date, number: int) -> Value | None:
    row = next((by_day.get(day) for day in _day(month, number)), None)
    if row is None:
        return None
    return Value(_name(row), row["On_Time_Percent"], row["Scheduled_Flights"], _url(row))


def _day(month: date, number: int) -> list[date]:
    """The day of a month; none if the month is shorter."""
    try:
        return [month.replace(day=number)]
    except ValueError:
        return []


def _ranking(ranking: Ranking, rows: TableRows) -> Figure:
    shown = ranking.shown[:BARS]
    chart = Bars(outcomes.values(shown, _name, BY_ROW, _url), UNIT, "Day")
    measure = f"{outcomes.ON_TIME}. {outcomes.minimum()}"
    return figure("ranking", "Days ranked", measure, chart, rows, total(shown, BY_ROW))


def _listing(ranking: Ranking, rows: TableRows) -> Listing:
    return Listing(
        "All days",
        [
            "Place",
            "Day",
            "Day of the week",
            "Flights",
            "On time",
            "30+ min late",
            "Cancelled",
            "Percent cancelled",
        ],
        [
            [
                Cell(str(place), number=True),
                Cell(_name(row), _url(row)),
                Cell(f"{row['Flight_Date']:%A}"),
                whole(row["Scheduled_Flights"]),
                share_cell(row["On_Time_Percent"]),
                share_cell(row["Late_30_Percent"]),
                whole(row["Cancelled_Flights"]),
                Cell(percent(row["Cancelled_Percent"]), number=True),
            ]
            for place, row in enumerate(ranking.shown, ranking.first_place)
        ],
        rows.source,
        rows.url,
        ranking.note,
    )
