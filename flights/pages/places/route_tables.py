"""The tables of a route: its airlines and its flight numbers."""

from flights import links
from flights.pages import formatting
from flights.pages.table_rows import TableRows

from .outcomes import COUNT, SHARE, late, share_cell, shares, text, whole
from .page import Cell, Listing

NUMBERS = 50  # flight numbers, those with the most flights


def all_of(where: dict[str, str], by_route: TableRows) -> list[Listing]:
    return [_flight_numbers(where), _airlines(by_route)]


def _flight_numbers(where: dict[str, str]) -> Listing:
    by = "Airline_Code,Flight_Number,Origin,Destination"
    more = "min:Scheduled_Departure,max:Scheduled_Departure"
    rows = shares(where, by, more, order_by="-count", limit=str(NUMBERS))
    return Listing(
        "Flight numbers",
        ["Flight", "Route", "Departs", "Flights", "On time", "30+ min late", "60+ min late"],
        [
            [
                Cell(*_flight(row["Airline_Code"], row["Flight_Number"])),
                text(f"{row['Origin']}–{row['Destination']}"),  # noqa: RUF001
                text(_departs(row["min_Scheduled_Departure"], row["max_Scheduled_Departure"])),
                whole(row[COUNT]),
                share_cell(row[SHARE]),
                share_cell(row[late(30)]),
                share_cell(row[late(60)]),
            ]
            for row in rows.rows
            if row["Flight_Number"] is not None
        ],
        rows.source,
        rows.url,
        f"The {NUMBERS} with the most flights." if len(rows.rows) == NUMBERS else "",
    )


def _flight(airline: str, number: str | None) -> tuple[str, str]:
    return f"{airline} {number}", links.flight(airline, number or "")


def _departs(first: str | None, last: str | None) -> str:
    """`08:00`, or `07:30 to 09:15` where the schedule changed."""
    if first is None:
        return "–"  # noqa: RUF001
    return first if first == last else f"{first} to {last}"


def _airlines(by_route: TableRows) -> Listing:
    return Listing(
        "Airlines over all months and days",
        [
            "Airline",
            "Route",
            "Flights",
            "On time",
            "30+ min late",
            "60+ min late",
            "Cancelled",
            "Diverted",
            "Scheduled min",
            "Flown min",
        ],
        [
            [
                Cell(row["Airline_Name"], links.airline(row["Airline_Code"])),
                Cell(
                    f"{row['Origin']}–{row['Destination']}",  # noqa: RUF001
                    links.route(row["Origin"], row["Destination"]),
                ),
                whole(row["Scheduled_Flights"]),
                *(share_cell(row[name]) for name in PERCENTAGES),
                *(_minutes(row[f"Avg_{name}_Minutes"]) for name in ("Scheduled", "Elapsed")),
            ]
            for row in by_route.rows
        ],
        by_route.source,
        by_route.url,
    )


PERCENTAGES = (
    *("On_Time_Percent", "Late_30_Percent", "Late_60_Percent", "Cancelled_Percent"),
    "Diverted_Percent",
)


def _minutes(value: float | None) -> Cell:
    return Cell("–" if value is None else formatting.figure(value), number=True)  # noqa: RUF001
