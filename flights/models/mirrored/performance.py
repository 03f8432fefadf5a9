"""The performance tables: the same measures for six groupings of the flights."""

from typing import Any

from django.db import models

from flights.mirror import DAILY, Mirror, MirroredTable

from .performance_measures import (
    PADDING_UNITS,
    SCHEDULED,
    UNITS,
    WITHOUT_PADDING,
    Performance,
    all_flights,
    checks,
)


def _airline_code() -> Any:
    return models.TextField(db_column="Airline_Code", help_text="code of the operating airline")


def _airline_name() -> Any:
    return models.TextField(db_column="Airline_Name", help_text="latest name of the airline")


def _airport(column: str) -> Any:
    return models.TextField(db_column=column, help_text="code of the airport")


def _city(column: str) -> Any:
    return models.TextField(db_column=column, help_text="city and state")


class PerformanceByMonth(Performance):
    """Punctuality of each airline in each month."""

    month = models.DateField(db_column="Month", help_text="first day of the month")
    airline_code, airline_name = _airline_code(), _airline_name()

    mirror = Mirror(
        order=("month", "airline_code"),
        key=("month", "airline_code"),
        facets=("airline_code", "airline_name"),
        units=UNITS | PADDING_UNITS,
        flights=SCHEDULED,
        fresh_within=DAILY,
        checks=(*checks("month", "airline_code"), all_flights("airline_code")),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_month"
        verbose_name = verbose_name_plural = "performance by month"


class PerformanceByDate(Performance):
    """Punctuality of all flights of each day."""

    flight_date = models.DateField(db_column="Flight_Date", help_text="day of departure")
    avg_scheduled_minutes = avg_elapsed_minutes = None

    mirror = Mirror(
        order=("flight_date",),
        key=("flight_date",),
        rows="days",
        units=UNITS,
        flights=WITHOUT_PADDING,
        fresh_within=DAILY,
        checks=(*checks("flight_date"), all_flights()),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_date"
        verbose_name = verbose_name_plural = "performance by date"


class PerformanceByAirport(Performance):
    """Punctuality of the flights that leave each airport, and of those that go to it."""

    airport, city = _airport("Airport"), _city("City")
    direction = models.TextField(db_column="Direction", help_text="departing or arriving")

    mirror = Mirror(
        order=("airport", "direction"),
        key=("airport", "direction"),
        facets=("airport", "direction"),
        units=UNITS | PADDING_UNITS,
        flights=SCHEDULED,
        fresh_within=DAILY,
        checks=(
            *checks("airport", "direction"),
            all_flights("origin", direction="departing"),
            all_flights("destination", direction="arriving"),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_airport"
        verbose_name = verbose_name_plural = "performance by airport"


class PerformanceByHour(Performance):
    """Punctuality of the flights that leave each airport in each hour of the day."""

    airport = _airport("Airport")
    scheduled_departure_hour = models.IntegerField(
        db_column="Scheduled_Departure_Hour", help_text="local hour, 0 to 23"
    )
    avg_scheduled_minutes = avg_elapsed_minutes = None

    mirror = Mirror(
        order=("airport", "scheduled_departure_hour"),
        key=("airport", "scheduled_departure_hour"),
        facets=("airport", "scheduled_departure_hour"),
        units={**UNITS, "scheduled_departure_hour": "hour of the day"},
        flights=WITHOUT_PADDING,
        fresh_within=DAILY,
        checks=(
            *checks("airport", "scheduled_departure_hour"),
            all_flights("origin", "scheduled_departure_hour"),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_hour"
        verbose_name = verbose_name_plural = "performance by hour"


class PerformanceByRoute(Performance):
    """Punctuality of each airline on each route."""

    origin, origin_city = _airport("Origin"), _city("Origin_City")
    destination, destination_city = _airport("Destination"), _city("Destination_City")
    airline_code, airline_name = _airline_code(), _airline_name()

    mirror = Mirror(
        order=("origin", "destination", "airline_code"),
        key=("origin", "destination", "airline_code"),
        facets=("origin", "destination", "airline_code", "airline_name"),
        units=UNITS | PADDING_UNITS,
        flights=SCHEDULED,
        indexes=(("origin", "destination"), ("destination",), ("airline_code",)),
        fresh_within=DAILY,
        checks=(
            *checks("origin", "destination", "airline_code"),
            all_flights("origin", "destination", "airline_code"),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_route"
        verbose_name = verbose_name_plural = "performance by route"


class PerformanceByFlight(Performance):
    """Punctuality of each flight number between two airports."""

    airline_code, airline_name = _airline_code(), _airline_name()
    flight_number = models.TextField(
        db_column="Flight_Number", help_text="number without the airline's code"
    )
    origin, destination = _airport("Origin"), _airport("Destination")

    mirror = Mirror(
        order=("airline_code", "flight_number", "origin", "destination"),
        key=("airline_code", "flight_number", "origin", "destination"),
        facets=("airline_code", "airline_name", "origin", "destination"),
        units=UNITS | PADDING_UNITS,
        flights=SCHEDULED,
        indexes=(("airline_code", "flight_number"), ("origin", "destination")),
        fresh_within=DAILY,
        checks=(
            *checks("airline_code", "flight_number", "origin", "destination"),
            all_flights("airline_code", "flight_number", "origin", "destination"),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_flight"
        verbose_name = verbose_name_plural = "performance by flight"
