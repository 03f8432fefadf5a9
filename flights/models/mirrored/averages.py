"""The tables of average delays."""

from django.db import models

from flights.mirror import DAILY, Mirror, MirroredTable
from flights.quality import InRange, SameTotal, Total, Unique

AVERAGE_UNITS = {
    "avg_departure_delay": "minutes",
    "avg_arrival_delay": "minutes",
    "total_flights": "flights",
}
OF_ALL_FLIGHTS = dict.fromkeys(("avg_departure_delay", "avg_arrival_delay"), "total_flights")
EVERY_FLIGHT = SameTotal(Total(sum_of="total_flights"), "flight_delay_data", Total())


class AirlinePerformance(MirroredTable):
    """Average delays of each airline over all its flights, with a row for each name that it had."""

    airline_name = models.TextField(db_column="Airline_Name", help_text="operating airline")
    avg_departure_delay = models.FloatField(
        db_column="Avg_Departure_Delay", null=True, help_text="average departure delay in minutes"
    )
    avg_arrival_delay = models.FloatField(
        db_column="Avg_Arrival_Delay", null=True, help_text="average arrival delay in minutes"
    )
    total_flights = models.BigIntegerField(
        db_column="Total_Flights", help_text="scheduled flights, cancelled ones included"
    )

    mirror = Mirror(
        order=("avg_arrival_delay", "avg_departure_delay", "airline_name"),
        key=("airline_name",),
        rows="airlines",
        units=AVERAGE_UNITS,
        flights=OF_ALL_FLIGHTS,
        fresh_within=DAILY,
        checks=(Unique(("airline_name",)), EVERY_FLIGHT),
    )

    class Meta(MirroredTable.Meta):
        db_table = "airline_performance"
        verbose_name = verbose_name_plural = "airline performance"


class BusiestAirportsByDelays(MirroredTable):
    """Late departures and arrivals of each city; flights on time or early are left out."""

    city = models.TextField(db_column="City", help_text="city and state")
    total_departure_delay = models.BigIntegerField(
        db_column="Total_Departure_Delay", help_text="minutes of all late departures together"
    )
    total_departures = models.BigIntegerField(
        db_column="Total_Departures", help_text="departures that were late"
    )
    avg_departure_delay = models.FloatField(
        db_column="Avg_Departure_Delay",
        help_text="average minutes of a late departure; 0 where no departure was late",
    )
    total_arrival_delay = models.BigIntegerField(
        db_column="Total_Arrival_Delay", help_text="minutes of all late arrivals together"
    )
    total_arrivals = models.BigIntegerField(
        db_column="Total_Arrivals", help_text="arrivals that were late"
    )
    avg_arrival_delay = models.FloatField(
        db_column="Avg_Arrival_Delay",
        help_text="average minutes of a late arrival; 0 where no arrival was late",
    )
    total_avg_delay = models.FloatField(
        db_column="Total_Avg_Delay", help_text="sum of the two averages"
    )

    mirror = Mirror(
        order=("-total_avg_delay", "city"),
        key=("city",),
        rows="cities",
        flights={
            **dict.fromkeys(("total_departure_delay", "avg_departure_delay"), "total_departures"),
            **dict.fromkeys(("total_arrival_delay", "avg_arrival_delay"), "total_arrivals"),
        },
        units={
            "total_departure_delay": "minutes",
            "total_departures": "flights",
            "avg_departure_delay": "minutes",
            "total_arrival_delay": "minutes",
            "total_arrivals": "flights",
            "avg_arrival_delay": "minutes",
            "total_avg_delay": "minutes",
        },
        fresh_within=DAILY,
        checks=(
            Unique(("city",)),
            InRange(("avg_departure_delay", "avg_arrival_delay"), least=0),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "busiest_airports_by_delays"
        verbose_name = verbose_name_plural = "busiest airports by delays"


class DelaysByDay(MirroredTable):
    """Average delays of each day of the week."""

    day_of_week = models.TextField(db_column="Day_of_Week", help_text="Monday to Sunday")
    avg_departure_delay = models.FloatField(
        db_column="Avg_Departure_Delay", null=True, help_text="average departure delay in minutes"
    )
    avg_arrival_delay = models.FloatField(
        db_column="Avg_Arrival_Delay", null=True, help_text="average arrival delay in minutes"
    )
    total_flights = models.BigIntegerField(
        db_column="Total_Flights", help_text="scheduled flights, cancelled ones included"
    )

    mirror = Mirror(
        order=("-avg_arrival_delay", "day_of_week"),
        key=("day_of_week",),
        rows="days",
        units=AVERAGE_UNITS,
        flights=OF_ALL_FLIGHTS,
        fresh_within=DAILY,
        checks=(Unique(("day_of_week",)), EVERY_FLIGHT),
    )

    class Meta(MirroredTable.Meta):
        db_table = "delays_by_day"
        verbose_name = verbose_name_plural = "delays by day"
