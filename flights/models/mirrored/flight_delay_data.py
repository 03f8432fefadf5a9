"""The table of single flights."""

from django.db import models

from flights.mirror import DAILY, Mirror, MirroredTable
from flights.quality import WARN, InRange, RowCount, Unique

MINUTES = (
    *("departure_delay_minutes", "arrival_delay_minutes", "taxi_out_minutes", "taxi_in_minutes"),
    *("scheduled_minutes", "elapsed_minutes", "air_minutes", "air_carrier_delay_minutes"),
    *("extreme_weather_delay_minutes", "national_aviation_system_delay_minutes"),
    *("security_delay_minutes", "late_aircraft_delay_minutes"),
)
DELAYS = MINUTES[:2]
# Minutes. Flights leave and arrive up to two hours early and, in rare cases, days late.
PLAUSIBLE_DELAY = (-180, 3 * 24 * 60)


class FlightDelayData(MirroredTable):
    """One cleaned record for each scheduled flight. Times are local."""

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
    airline_code = models.TextField(
        db_column="Airline_Code", null=True, help_text="code of the operating airline"
    )
    flight_number = models.TextField(
        db_column="Flight_Number", null=True, help_text="number without the airline's code"
    )
    tail_number = models.TextField(
        db_column="Tail_Number", null=True, help_text="registration of the aircraft"
    )
    origin = models.TextField(db_column="Origin", null=True, help_text="code of the airport")
    destination = models.TextField(
        db_column="Destination", null=True, help_text="code of the airport"
    )
    day_of_week = models.TextField(db_column="Day_of_Week", help_text="Monday to Sunday")
    scheduled_departure = models.TextField(
        db_column="Scheduled_Departure", null=True, help_text="HH:MM, 00:00 to 23:59"
    )
    scheduled_arrival = models.TextField(
        db_column="Scheduled_Arrival", null=True, help_text="HH:MM, 00:00 to 23:59"
    )
    scheduled_departure_hour = models.IntegerField(
        db_column="Scheduled_Departure_Hour", null=True, help_text="0 to 23"
    )
    cancelled = models.BooleanField(
        db_column="Cancelled", null=True, help_text="empty where the source does not say"
    )
    diverted = models.BooleanField(
        db_column="Diverted", null=True, help_text="empty where the source does not say"
    )
    cancellation_reason = models.TextField(
        db_column="Cancellation_Reason",
        null=True,
        help_text="carrier, weather, national aviation system or security",
    )
    taxi_out_minutes = models.IntegerField(
        db_column="Taxi_Out_Minutes", null=True, help_text="from the gate to take-off"
    )
    taxi_in_minutes = models.IntegerField(
        db_column="Taxi_In_Minutes", null=True, help_text="from landing to the gate"
    )
    scheduled_minutes = models.IntegerField(
        db_column="Scheduled_Minutes", null=True, help_text="from gate to gate by the schedule"
    )
    elapsed_minutes = models.IntegerField(
        db_column="Elapsed_Minutes", null=True, help_text="from gate to gate as flown"
    )
    air_minutes = models.IntegerField(
        db_column="Air_Minutes", null=True, help_text="from take-off to landing"
    )
    distance_miles = models.IntegerField(
        db_column="Distance_Miles", null=True, help_text="between the airports"
    )
    air_carrier_delay_minutes = models.IntegerField(
        db_column="Air_Carrier_Delay_Minutes",
        null=True,
        help_text="part of the arrival delay that the airline caused",
    )
    extreme_weather_delay_minutes = models.IntegerField(
        db_column="Extreme_Weather_Delay_Minutes",
        null=True,
        help_text="part of the arrival delay that extreme weather caused",
    )
    national_aviation_system_delay_minutes = models.IntegerField(
        db_column="National_Aviation_System_Delay_Minutes",
        null=True,
        help_text="part of the arrival delay that air traffic control, airports or other weather"
        " caused",
    )
    security_delay_minutes = models.IntegerField(
        db_column="Security_Delay_Minutes",
        null=True,
        help_text="part of the arrival delay that security caused",
    )
    late_aircraft_delay_minutes = models.IntegerField(
        db_column="Late_Aircraft_Delay_Minutes",
        null=True,
        help_text="part of the arrival delay that the late arrival of the same aircraft caused",
    )

    mirror = Mirror(
        order=("flight_date", "airline_name", "origin_city", "destination_city"),
        grows_by="flight_date",
        rows="flights",
        facets=(
            *("airline_name", "origin_city", "destination_city", "airline_code", "origin"),
            *("destination", "day_of_week", "scheduled_departure_hour", "cancellation_reason"),
        ),
        units={
            **dict.fromkeys(MINUTES, "minutes"),
            "distance_miles": "miles",
            "scheduled_departure_hour": "hour of the day",
        },
        fresh_within=DAILY,
        unsearched=(
            *MINUTES[2:],  # all but the delays
            *("distance_miles", "scheduled_departure", "scheduled_arrival"),
            *("scheduled_departure_hour", "cancelled", "diverted"),
        ),
        indexes=(
            ("flight_date",),
            ("airline_name", "flight_date"),
            ("origin_city", "flight_date"),
            ("destination_city", "flight_date"),
            ("-departure_delay_minutes",),  # long delays are queried more often than early flights
            ("-arrival_delay_minutes",),
            ("origin", "destination", "flight_date"),  # a route
            ("airline_code", "flight_number", "flight_date"),  # a flight
        ),
        # Real months repeat some flights and contain impossible times, so these checks only warn.
        checks=(
            Unique(
                (
                    *("flight_date", "airline_code", "flight_number", "origin", "destination"),
                    "scheduled_departure",
                ),
                severity=WARN,
            ),
            InRange(DELAYS, *PLAUSIBLE_DELAY, severity=WARN),
            InRange((*MINUTES[2:], "distance_miles"), least=0, severity=WARN),
            RowCount(50),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "flight_delay_data"
        verbose_name = verbose_name_plural = "flight delay data"
