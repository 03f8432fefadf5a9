"""The figure of a result: its rows as bars, columns, lines, a histogram, points or a grid."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from flights.errors import BadQuery
from flights.mirror import Field, public
from flights.pages import formatting, table_rows
from flights.pages.charts import (
    Bars,
    Chart,
    Columns,
    Figure,
    Grid,
    Lines,
    Map,
    Scatter,
    Series,
    Value,
)
from flights.pages.formatting import title
from flights.pages.places import known
from flights.query.paging import Row

from . import chart_caption, chart_query, histogram
from .chart_choice import AIRPORTS, GRID, HISTOGRAM, MAP, SCATTER
from .histogram import Class
from .scale_labels import filled, in_order, label
from .units import FLIGHTS

if TYPE_CHECKING:
    from .results import Result
    from .state import State

LINES = 4  # most lines of a chart: charts.css has so many colours


class Drawing:
    """One result, drawn as the chart that its state names."""

    def __init__(self, state: "State", result: "Result") -> None:
        self.state, self.result = state, result
        self.choice, self.rows = state.choice, result.page.rows
        self.value = self.choice.fields[-1]
        self.unit = state.units.unit(self.value)
        names, _ = chart_query.flights(state) if self.choice.kind != HISTOGRAM else ([], [])
        self.flights = next(iter(names), "")
        self.notes: list[str] = []

    def figure(self) -> Figure:
        chart = self._chart()
        counted = [row[self.flights] for row in self.rows if self.flights and row[self.flights]]
        return Figure(
            "chart",
            self.choice.title,
            chart_caption.caption(self.state, self.result, self.unit, self.notes),
            chart,
            table_rows.source(self.result.version),
            sum(counted) if counted else None,
            self.state.api,
        )

    def _chart(self) -> Chart:
        if self.choice.kind == HISTOGRAM:
            return self._histogram()
        if self.choice.kind == SCATTER:
            return self._scatter()
        if self.choice.kind == GRID:
            return self._grid()
        if self.choice.kind == MAP:
            return self._map()
        if not chart_query.is_scale(self.state):
            return self._bars()
        others = chart_query.others(self.state)
        return self._lines(others) if others or self._is_time else self._columns()

    @property
    def _is_time(self) -> bool:
        return not any(isinstance(self._key(row), int | float) for row in self.rows)

    def _key(self, row: Row) -> Any:
        return row[public(self.choice.fields[0])]

    def _bars(self) -> Chart:
        fields = [self.choice.fields[0], *chart_query.others(self.state)]
        values = [self._value(row, _named(fields, row)) for row in self.rows]
        return Bars(values, self.unit, title(fields[0]))

    def _columns(self) -> Chart:
        by_key = {self._key(row): row for row in self.rows}
        return Columns(self._along(by_key), self.unit, title(self.choice.fields[0]))

    def _lines(self, others: list[Field]) -> Chart:
        if not others:
            by_key = {self._key(row): row for row in self.rows}
            series = [Series("", self._along(by_key))]
        else:
            series = self._series(others)
        return Lines(series, self.unit, title(self.choice.fields[0]))

    def _series(self, others: list[Field]) -> list[Series]:
        """One line for each of the things with the most flights, or the most rows."""
        own = public(self.value) if self.unit == FLIGHTS else ""
        flights, sizes = self.flights or own, Counter[str]()
        by_name: dict[str, dict[Any, Row]] = {}
        for row in self.rows:
            name = _named(others, row)
            sizes[name] += (row[flights] or 0) if flights else 1
            by_name.setdefault(name, {})[self._key(row)] = row
        most = [name for name, _ in sizes.most_common(LINES)]
        if len(sizes) > LINES:
            what = FLIGHTS if flights else "rows"
            self.notes.append(f"The {LINES} of {len(sizes)} with the most {what}.")
        return [Series(name, self._along(by_name[name])) for name in most]

    def _along(self, by_key: dict[Any, Row]) -> list[Value]:
        """A value for each place of the scale of all rows; a gap where there is no row."""
        field = self.choice.fields[0]
        return [
            self._value(by_key[key], label(field, key))
            if key in by_key
            else Value(label(field, key), None)
            for key in filled(field, map(self._key, self.rows))
        ]

    def _grid(self) -> Chart:
        down, across, _ = self.choice.fields
        by_place = {(row[public(down)], row[public(across)]): row for row in self.rows}
        columns = in_order([row[public(across)] for row in self.rows])
        lines = [
            (
                label(down, key),
                [
                    self._value(by_place[key, column], label(across, column))
                    if (key, column) in by_place
                    else None
                    for column in columns
                ],
            )
            for key in in_order([row[public(down)] for row in self.rows])
        ]
        of = title(down), title(across)
        return Grid(lines, [label(across, c) for c in columns], self.unit, of, self._better)

    @property
    def _better(self) -> str:
        return "high" if "on_time" in public(self.value).lower() else "low"

    def _map(self) -> Chart:
        """Airports with their values; with lines from the airport that a filter names."""
        airports = known.airports()
        drawn = [row for row in self.rows if self._key(row) in airports]
        places = [airports[self._key(row)] for row in drawn]
        values = [self._value(row, place.label) for row, place in zip(drawn, places, strict=True)]
        filters = {n.removesuffix("__exact"): v for n, v in self.state.filters.items()}
        origins = [airports.get(filters[name]) for name in AIRPORTS if name in filters]
        centre = next((airport.spot for airport in origins if airport), None)
        spots = [place.spot for place in places]
        chart = Map(values, spots, self.unit, title(self.choice.fields[0]), centre, self._better)
        beyond = [*chart.beyond, *(str(self._key(r)) for r in self.rows if r not in drawn)]
        if beyond:
            self.notes.append(f"Not on the map: {formatting.names(beyond)}.")
        return chart

    def _scatter(self) -> Chart:
        named = chart_query.labels(self.state)
        across, _ = self.choice.fields
        values = [self._value(row, _named(named, row)) for row in self.rows]
        unit = f"{title(across)}, {self.state.units.unit(across)}".strip(", ")
        return Scatter(
            values, [row[public(across)] for row in self.rows], self.unit, unit, title(named[0])
        )

    def _histogram(self) -> Chart:
        if self.result.page.next:
            raise BadQuery(f"{title(self.value)} has too many different values to be drawn.")
        name = public(self.value)
        counted = [(row[name], row["count"]) for row in self.rows if row[name] is not None]
        if empty := sum(row["count"] for row in self.rows if row[name] is None):
            self.notes.append(f"Without the {empty:,} {self.state.rows} that have no value.")
        values = [
            Value(each.label, each.rows, url=self._rows_of(each))
            for each in histogram.classes(counted)
        ]
        of = f"{title(self.value)}, {self.unit}".strip(", ")
        return Columns(values, self.state.rows, of)

    def _rows_of(self, each: Class) -> str:
        name = public(self.value)
        low = {f"{name}__gte": _limit(each.low)} if each.low > -float("inf") else {}
        high = {f"{name}__lt": _limit(each.high)} if each.high < float("inf") else {}
        return self.state.link({**low, **high, "view": None, "chart": None, "offset": None})

    def _value(self, row: Row, text: str) -> Value:
        flights = row[self.flights] if self.flights else None
        own = self.flights == public(self.value)
        url = self.state.rows_of_group(row)
        return Value(text, row[public(self.value)], None if own else flights, url)


def _named(fields: list[Field], row: Row) -> str:
    return ", ".join(dict.fromkeys(label(field, row[public(field)]) for field in fields))


def _limit(number: float) -> str:
    return f"{number:.10g}"
