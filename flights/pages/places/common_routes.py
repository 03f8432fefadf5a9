"""Two airlines on the routes that both fly: elsewhere they differ by where they fly."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from flights import links
from flights.models.mirrored import PerformanceByRoute
from flights.pages import formatting, on_time, table_rows
from flights.pages.charts import Bars, Figure, Value
from flights.pages.table_rows import TableRows

from . import known, outcomes
from .compared import Thing
from .outcomes import Row, figure, share_cell, whole
from .page import Cell, Listing

UNIT = "%"
SHOWN = 50  # routes in the table
EVERY = "10000"  # rows; two airlines fly some thousand routes


@dataclass(frozen=True)
class Common:
    a: Thing
    b: Thing
    table: TableRows  # the routes of both airlines

    @cached_property
    def rows(self) -> list[tuple[Row, Row]]:
        """The rows of both airlines on each common route, the busiest first."""
        routes: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
        for row in self.table.rows:
            if row["On_Time_Arrivals"] is not None:
                routes[row["Origin"], row["Destination"]][row["Airline_Code"]] = row
        a, b = (thing.where["Airline_Code"] for thing in (self.a, self.b))
        pairs = [(of[a], of[b]) for of in routes.values() if a in of and b in of]
        return sorted(pairs, key=lambda pair: -min(row["Scheduled_Flights"] for row in pair))

    @property
    def answer(self) -> str:
        parts = [
            f"{formatting.percent_of(value.number, value.flights or 0)} of {value.label}"
            for value in self.values
        ]
        routes = formatting.count(len(self.rows), "route")
        return f"On the {routes} that both fly, {' and '.join(parts)} arrived on time"

    @property
    def values(self) -> list[Value]:
        """The percentages of both airlines over all common routes, from summed counts."""
        sides = zip(*self.rows, strict=True)
        return [_value(thing, side) for thing, side in zip((self.a, self.b), sides, strict=True)]

    @property
    def figures(self) -> list[Figure]:
        if not self.rows:
            return []
        values = self.values
        measure = f"{outcomes.ON_TIME}, on the {len(self.rows)} routes that both airlines fly"
        flights = sum(value.flights or 0 for value in values)
        chart = Bars(values, UNIT, "Airline")
        return [figure("common", "On common routes", measure, chart, self.table, flights)]

    @property
    def listings(self) -> list[Listing]:
        heads = [head for t in (self.a, self.b) for head in (f"{t.name}: flights", "On time")]
        more = len(self.rows) > SHOWN
        return [
            Listing(
                "Common routes",
                ["Route", "To", *heads],
                [_line(*pair) for pair in self.rows[:SHOWN]],
                self.table.source,
                self.table.url,
                f"The {SHOWN} with the most flights of both, of {len(self.rows)}." if more else "",
            )
        ] * bool(self.rows)


def of(a: Thing, b: Thing) -> Common:
    codes = ",".join(thing.where["Airline_Code"] for thing in (a, b))
    return Common(
        a, b, table_rows.read(PerformanceByRoute, {"Airline_Code__in": codes, "limit": EVERY})
    )


def _value(thing: Thing, rows: tuple[Row, ...]) -> Value:
    scheduled = sum(row["Scheduled_Flights"] for row in rows)
    arrivals = sum(row["On_Time_Arrivals"] for row in rows)
    return Value(thing.name, on_time.share(arrivals, scheduled), scheduled, thing.url)


def _line(a: Row, b: Row) -> list[Cell]:
    origin, destination = a["Origin"], a["Destination"]
    return [
        Cell(f"{origin}–{destination}", links.route(origin, destination)),  # noqa: RUF001
        Cell(known.airport_label(destination), links.airport(destination)),
        *(
            cell
            for row in (a, b)
            for cell in (whole(row["Scheduled_Flights"]), share_cell(row["On_Time_Percent"]))
        ),
    ]
