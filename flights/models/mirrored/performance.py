"""The performance tables: the same measures for six groupings of the flights."""

from typing import Any

from django.db import models

from flights.mirror import DAILY, Field, Mirror, MirroredTable
from flights.quality import Check, InRange, SameTotal, Total, Unique

PADDING = ("avg_scheduled_minutes", "avg_elapsed_minutes")
UNITS = {
    **dict.fromkeys(
        (
            *("scheduled_flights", "on_time_arrivals", "late_arrivals", "cancelled_flights"),
            "diverted_flights",
        ),
        "flights",
    ),
    **dict.fromkeys(
        (
            *("on_time_percent", "late_percent", "late_30_percent", "late_60_percent"),
            *("cancelled_percent", "diverted_percent", "late_departures_percent"),
            *("air_carrier_percent", "extreme_weather_percent", "security_percent"),
            *("national_aviation_system_percent", "late_aircraft_percent"),
        ),
        "percent",
    ),
    **dict.fromkeys(
        (
            *("avg_departure_delay", "avg_arrival_delay", "median_arrival_delay"),
            "p90_arrival_delay",
        ),
        "minutes",
    ),
}
# All figures rest on the scheduled flights of their row.
WITHOUT_PADDING = dict.fromkeys(
    [name for name in UNITS if name != "scheduled_flights"], "scheduled_flights"
)
SCHEDULED = WITHOUT_PADDING | dict.fromkeys(PADDING, "scheduled_flights")
PADDING_UNITS = dict.fromkeys(PADDING, "minutes")
PERCENTAGES = tuple(name for name, unit in UNITS.items() if unit == "percent")


def _checks(*key: str) -> tuple[Check, ...]:
    return Unique(key), InRange(("scheduled_flights",), least=1), InRange(PERCENTAGES, 0, 100)


def _all_flights(*present: str, **where: str) -> Check:
    """The rows count each flight that has a value in all columns of their key."""
    total = Total("scheduled_flights", where=tuple(where.items()))
    return SameTotal(total, "flight_delay_data", Total(present=present))


def _count(column: str, meaning: str) -> Any:
    return models.BigIntegerField(db_column=column, null=True, help_text=meaning)


def _number(column: str, meaning: str) -> Any:
    return models.FloatField(db_column=column, null=True, help_text=meaning)


def _delay(column: str, meaning: str) -> Any:
    return models.IntegerField(db_column=column, null=True, help_text=meaning)


class Performance(MirroredTable):
    """The measures. Percentages are of scheduled flights; all but two describe arrivals."""

    scheduled_flights = models.BigIntegerField(
        db_column="Scheduled_Flights", help_text="all flights, cancelled ones included"
    )
    on_time_arrivals = _count("On_Time_Arrivals", "flights that arrived less than 15 minutes late")
    on_time_percent = _number("On_Time_Percent", "share of flights on time")
    late_arrivals = _count("Late_Arrivals", "flights that arrived 15 minutes late or more")
    late_percent = _number("Late_Percent", "share of flights 15 minutes late or more")
    late_30_percent = _number("Late_30_Percent", "share of flights 30 minutes late or more")
    late_60_percent = _number("Late_60_Percent", "share of flights 60 minutes late or more")
    cancelled_flights = _count("Cancelled_Flights", "flights that were cancelled")
    cancelled_percent = _number("Cancelled_Percent", "share of cancelled flights")
    diverted_flights = _count("Diverted_Flights", "flights that departed and did not arrive")
    diverted_percent = _number("Diverted_Percent", "share of diverted flights")
    late_departures_percent = _number(
        "Late_Departures_Percent", "share of flights that departed 15 minutes late or more"
    )
    avg_departure_delay = _number("Avg_Departure_Delay", "average over flights that departed")
    avg_arrival_delay = _number("Avg_Arrival_Delay", "average over flights that arrived")
    median_arrival_delay = _delay(
        "Median_Arrival_Delay", "smallest delay that half of the arrived flights do not exceed"
    )
    p90_arrival_delay = _delay(
        "P90_Arrival_Delay", "smallest delay that 90 % of the arrived flights do not exceed"
    )
    avg_scheduled_minutes = _number(
        "Avg_Scheduled_Minutes", "average gate-to-gate time by the schedule"
    )
    avg_elapsed_minutes = _number("Avg_Elapsed_Minutes", "average gate-to-gate time as flown")
    air_carrier_percent = _number("Air_Carrier_Percent", "share late because of the airline")
    extreme_weather_percent = _number(
        "Extreme_Weather_Percent", "share late because of extreme weather"
    )
    national_aviation_system_percent = _number(
        "National_Aviation_System_Percent", "share late because of air traffic, airports, weather"
    )
    security_percent = _number("Security_Percent", "share late because of security")
    late_aircraft_percent = _number(
        "Late_Aircraft_Percent", "share late because the same aircraft arrived late before"
    )

    class Meta(MirroredTable.Meta):
        abstract = True

    @classmethod
    def columns(cls) -> list[Field]:
        """Return the columns of the grouping, then the measures.

        Django puts inherited fields first.
        """
        measures = {field.name for field in Performance._meta.fields}
        return sorted(super().columns(), key=lambda field: field.name in measures)


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
        checks=(*_checks("month", "airline_code"), _all_flights("airline_code")),
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
        checks=(*_checks("flight_date"), _all_flights()),
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
            *_checks("airport", "direction"),
            _all_flights("origin", direction="departing"),
            _all_flights("destination", direction="arriving"),
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
            *_checks("airport", "scheduled_departure_hour"),
            _all_flights("origin", "scheduled_departure_hour"),
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
            *_checks("origin", "destination", "airline_code"),
            _all_flights("origin", "destination", "airline_code"),
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
            *_checks("airline_code", "flight_number", "origin", "destination"),
            _all_flights("airline_code", "flight_number", "origin", "destination"),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "performance_by_flight"
        verbose_name = verbose_name_plural = "performance by flight"
