"""The mirrored tables, one class for each. The help texts are the descriptions of the columns."""

from datetime import timedelta

from django.db import models

from flights.mirror import Mirror, MirroredTable
from flights.quality import WARN, InRange, RowCount, SameTotal, Total, Unique

# A schedule transfers changed tables every hour, so a day without a comparison needs attention.
DAILY = timedelta(days=1)
AVERAGE_UNITS = {
    "avg_departure_delay": "minutes",
    "avg_arrival_delay": "minutes",
    "total_flights": "flights",
}
# Minutes. Flights leave and arrive up to two hours early, and, in rare cases, days late.
PLAUSIBLE_DELAY = (-180, 3 * 24 * 60)
EVERY_FLIGHT = SameTotal(Total(sum_of="total_flights"), "flight_delay_data", Total())


class FlightDelayData(MirroredTable):
    """One cleaned record for each scheduled flight."""

    flight_date = models.DateField(db_column="Flight_Date", help_text="day of departure")
    airline_name = models.TextField(db_column="Airline_Name", help_text="operating airline")
    origin_city = models.TextField(db_column="Origin_City", help_text="city and state of origin")
    destination_city = models.TextField(
        db_column="Destination_City", help_text="city and state of destination"
    )
    departure_delay_minutes = models.IntegerField(
        db_column="Departure_Delay_Minutes",
        null=True,
        help_text="minutes late at departure; negative when early, empty when cancelled",
    )
    arrival_delay_minutes = models.IntegerField(
        db_column="Arrival_Delay_Minutes",
        null=True,
        help_text="minutes late at arrival; negative when early, empty when it did not arrive",
    )

    mirror = Mirror(
        order=("flight_date", "airline_name", "origin_city", "destination_city"),
        grows_by="flight_date",
        facets=("airline_name", "origin_city", "destination_city"),
        units={"departure_delay_minutes": "minutes", "arrival_delay_minutes": "minutes"},
        fresh_within=DAILY,
        indexes=(
            ("flight_date",),
            ("airline_name", "flight_date"),
            ("origin_city", "flight_date"),
            ("destination_city", "flight_date"),
            ("-departure_delay_minutes",),  # long delays are queried more often than early flights
            ("-arrival_delay_minutes",),
        ),
        checks=(
            InRange("departure_delay_minutes", *PLAUSIBLE_DELAY, severity=WARN),
            InRange("arrival_delay_minutes", *PLAUSIBLE_DELAY, severity=WARN),
            RowCount(50),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "flight_delay_data"
        verbose_name = verbose_name_plural = "flight delay data"


class AirlinePerformance(MirroredTable):
    """Average delays of each airline over all its flights."""

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
        units=AVERAGE_UNITS,
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
            InRange("avg_departure_delay", 0),
            InRange("avg_arrival_delay", 0),
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
        units=AVERAGE_UNITS,
        fresh_within=DAILY,
        checks=(Unique(("day_of_week",)), EVERY_FLIGHT),
    )

    class Meta(MirroredTable.Meta):
        db_table = "delays_by_day"
        verbose_name = verbose_name_plural = "delays by day"
