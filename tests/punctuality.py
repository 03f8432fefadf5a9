"""The performance tables, computed independently of the broker.

DuckDB counts and sums in a query of another shape, which sorts delays into lists to find their
percentiles. Python divides, and rounds exact decimals.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

from transfers.ingest.raw_table import RAW

type Row = dict[str, Any]

CAUSES = {
    "Air_Carrier_Percent": "Air_Carrier_Delay_Minutes",
    "Extreme_Weather_Percent": "Extreme_Weather_Delay_Minutes",
    "National_Aviation_System_Percent": "National_Aviation_System_Delay_Minutes",
    "Security_Percent": "Security_Delay_Minutes",
    "Late_Aircraft_Percent": "Late_Aircraft_Delay_Minutes",
}
MONTH = "date_trunc('month', Flight_Date)::DATE"
ROUTE = {"Origin": "Origin", "Destination": "Destination"}
AIRLINE = {"Airline_Code": "Airline_Code"}
# For each table: the columns that identify a row, then those with names, of the latest flight.
TABLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "performance_by_month": ({"Month": MONTH, **AIRLINE}, {"Airline_Name": "Airline_Name"}),
    "performance_by_date": ({"Flight_Date": "Flight_Date"}, {}),
    "performance_by_airport": (
        {"Airport": "Airport", "Direction": "Direction"},
        {"City": "Airport_City"},
    ),
    "performance_by_hour": (
        {
            "Airport": "Origin",
            "Scheduled_Departure_Hour": "split_part(Scheduled_Departure, ':', 1)::INT",
        },
        {},
    ),
    "performance_by_route": (
        ROUTE | AIRLINE,
        {name: name for name in ("Origin_City", "Destination_City", "Airline_Name")},
    ),
    "performance_by_flight": (
        AIRLINE | {"Flight_Number": "Flight_Number"} | ROUTE,
        {"Airline_Name": "Airline_Name"},
    ),
}
# The columns of each outcome, by the number of its state in the query.
OUTCOMES = {
    1: ("Cancelled_Flights", "Cancelled_Percent"),
    2: ("Diverted_Flights", "Diverted_Percent"),
    3: ("Late_Arrivals", "Late_Percent"),
    4: ("On_Time_Arrivals", "On_Time_Percent"),
}
WITHOUT_PADDING = ("performance_by_date", "performance_by_hour")


def rows(database: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    """Compute a table from the raw records in a database."""
    keys, names = TABLES[table]
    result = database.sql(_query(table)).to_arrow_table().to_pylist()
    return [
        {column: group[column] for column in (*keys, *names)} | dict(_measures(table, group))
        for group in result
    ]


def _query(table: str) -> str:
    keys, names = TABLES[table]
    columns = [
        *(f"{sql} AS {name}" for name, sql in keys.items()),
        *(
            f"list({sql} ORDER BY Flight_Date DESC, {sql} DESC)[1] AS {n}"
            for n, sql in names.items()
        ),
        *(
            f"coalesce(sum(1000000::BIGINT * coalesce({minutes}, 0) // nullif(causes, 0))"
            f" FILTER (state = 3 AND causes > 0), 0) AS {name}"
            for name, minutes in CAUSES.items()
        ),
    ]
    present = " AND ".join(f"{sql} IS NOT NULL" for sql in keys.values())
    return f"""
    WITH flights AS (
        SELECT *, Origin AS Airport, Origin_City AS Airport_City, 'departing' AS Direction
        FROM {RAW}
        {_arriving() if table == "performance_by_airport" else ""}
    ),
    states AS (
        SELECT *, {" + ".join(f"coalesce({minutes}, 0)" for minutes in CAUSES.values())} AS causes,
            if(
                if(Cancelled IS NULL,
                    Departure_Delay_Minutes IS NULL AND Arrival_Delay_Minutes IS NULL, Cancelled),
                1,
                if(coalesce(Diverted, false) OR Arrival_Delay_Minutes IS NULL, 2,
                    if(Arrival_Delay_Minutes < 15, 4, 3))
            ) AS state,
            if(state > 2, Arrival_Delay_Minutes, NULL) AS arrived,
            {MONTH} IN (SELECT {MONTH} FROM {RAW}
                WHERE {" OR ".join(f"{minutes} > 0" for minutes in CAUSES.values())}) AS with_causes
        FROM flights
    )
    SELECT {", ".join(columns)},
        count(*) AS flights, bool_and(Has_Arrivals) AS known,
        histogram(state) AS states,
        sum(if(Departure_Delay_Minutes >= 15, 1, 0)) AS late_departures,
        sum(if(arrived >= 30, 1, 0)) AS late_30, sum(if(arrived >= 60, 1, 0)) AS late_60,
        sum(Departure_Delay_Minutes) AS departures, count(Departure_Delay_Minutes) AS departed,
        sum(arrived) AS arrivals, list(arrived ORDER BY arrived) FILTER (arrived IS NOT NULL) AS l,
        l[ceil(len(l) * 50 / 100)::INT] AS median, l[ceil(len(l) * 90 / 100)::INT] AS p90,
        sum(Scheduled_Minutes) FILTER (Scheduled_Minutes + Elapsed_Minutes IS NOT NULL) AS planned,
        sum(Elapsed_Minutes) FILTER (Scheduled_Minutes + Elapsed_Minutes IS NOT NULL) AS flown,
        count(Scheduled_Minutes + Elapsed_Minutes) AS timed,
        count(*) FILTER (with_causes) AS cause_flights
    FROM states WHERE {present} GROUP BY {", ".join(keys.values())}"""


def _arriving() -> str:
    return f"UNION ALL SELECT *, Destination, Destination_City, 'arriving' FROM {RAW}"


def _measures(table: str, group: Row) -> Iterator[tuple[str, Any]]:
    flights, states = group["flights"], dict(group["states"])
    yield "Scheduled_Flights", flights
    yield "Late_Departures_Percent", _ratio(100 * group["late_departures"], flights)
    yield "Avg_Departure_Delay", _ratio(group["departures"], group["departed"])
    about_arrivals: Row = {
        "Late_30_Percent": _ratio(100 * group["late_30"], flights),
        "Late_60_Percent": _ratio(100 * group["late_60"], flights),
        "Avg_Arrival_Delay": _ratio(group["arrivals"], states.get(3, 0) + states.get(4, 0)),
        "Median_Arrival_Delay": group["median"],
        "P90_Arrival_Delay": group["p90"],
    }
    for state, (count, percent) in OUTCOMES.items():
        about_arrivals[count] = states.get(state, 0)
        about_arrivals[percent] = _ratio(100 * states.get(state, 0), flights)
    if table not in WITHOUT_PADDING:
        about_arrivals["Avg_Scheduled_Minutes"] = _ratio(group["planned"], group["timed"])
        about_arrivals["Avg_Elapsed_Minutes"] = _ratio(group["flown"], group["timed"])
    for name in CAUSES:
        about_arrivals[name] = _ratio(int(group[name]), 10_000 * group["cause_flights"])
    for name, value in about_arrivals.items():
        yield name, value if group["known"] else None


def _ratio(total: int | None, count: int) -> float | None:
    """Divide, and round half away from zero to 2 places; null if there is nothing to count."""
    if not count or total is None:
        return None
    return float((Decimal(total) / count).quantize(Decimal("0.01"), ROUND_HALF_UP))
