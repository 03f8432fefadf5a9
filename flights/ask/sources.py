"""The tables that answer questions, and their columns of the dimensions of a question."""

from collections.abc import Mapping
from dataclasses import dataclass

from .plan import FLIGHTS


@dataclass(frozen=True)
class Source:
    """A performance table and its columns of the dimensions."""

    table: str
    columns: Mapping[str, str]


SOURCES = (
    Source(
        "performance_by_date",
        {
            "period": "Flight_Date",
            "date": "Flight_Date",
            "month": "month:Flight_Date",
            "year": "year:Flight_Date",
        },
    ),
    Source("performance_by_airport", {"origin": "Airport"}),
    Source("performance_by_airport", {"destination": "Airport"}),
    Source(
        "performance_by_month",
        {"airline": "Airline_Code", "period": "Month", "month": "Month", "year": "year:Month"},
    ),
    Source("performance_by_hour", {"origin": "Airport", "hour": "Scheduled_Departure_Hour"}),
    Source(
        "performance_by_route",
        {"origin": "Origin", "destination": "Destination", "airline": "Airline_Code"},
    ),
    Source(
        "performance_by_flight",
        {
            "origin": "Origin",
            "destination": "Destination",
            "airline": "Airline_Code",
            "flight": "Flight_Number",
        },
    ),
)
EVERY_FLIGHT = Source(
    FLIGHTS,
    {
        "origin": "Origin",
        "destination": "Destination",
        "airline": "Airline_Code",
        "flight": "Flight_Number",
        "period": "Flight_Date",
        "date": "Flight_Date",
        "month": "month:Flight_Date",
        "year": "year:Flight_Date",
        "weekday": "Day_of_Week",
        "hour": "Scheduled_Departure_Hour",
    },
)
