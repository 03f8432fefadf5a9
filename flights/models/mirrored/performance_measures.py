"""The measures that all performance tables share, with their units and checks."""

from typing import Any

from django.db import models

from flights.mirror import Field, MirroredTable
from flights.quality import Check, InRange, SameTotal, Total, Unique

# Airlines schedule more minutes than a flight needs: the padding is the difference of these two.
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
# All figures of a row are computed from its scheduled flights.
WITHOUT_PADDING = dict.fromkeys(
    [name for name in UNITS if name != "scheduled_flights"], "scheduled_flights"
)
SCHEDULED = WITHOUT_PADDING | dict.fromkeys(PADDING, "scheduled_flights")
PADDING_UNITS = dict.fromkeys(PADDING, "minutes")
PERCENTAGES = tuple(name for name, unit in UNITS.items() if unit == "percent")


def checks(*key: str) -> tuple[Check, ...]:
    return Unique(key), InRange(("scheduled_flights",), least=1), InRange(PERCENTAGES, 0, 100)


def all_flights(*present: str, **where: str) -> Check:
    """Check that the table counts every flight with a value in all columns of `present`."""
    total = Total("scheduled_flights", where=tuple(where.items()))
    return SameTotal(total, "flight_delay_data", Total(present=present))


def _count(column: str, meaning: str) -> Any:
    return models.BigIntegerField(db_column=column, null=True, help_text=meaning)


def _number(column: str, meaning: str) -> Any:
    return models.FloatField(db_column=column, null=True, help_text=meaning)


def _delay(column: str, meaning: str) -> Any:
    return models.IntegerField(db_column=column, null=True, help_text=meaning)


class Performance(MirroredTable):
    """The columns of the measures. Percentages are of scheduled flights."""

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
