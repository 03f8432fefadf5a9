"""The lists of airlines and airports that the flights name."""

from django.db import models

from flights.mirror import DAILY, Mirror, MirroredTable
from flights.quality import WARN, InRange, NotNull, Unique


class Airlines(MirroredTable):
    """The airlines of all flights, with the latest name of each code."""

    airline_code = models.TextField(db_column="Airline_Code", help_text="code of the airline")
    airline_name = models.TextField(db_column="Airline_Name", help_text="name of the airline")

    mirror = Mirror(
        order=("airline_code",),
        key=("airline_code",),
        rows="airlines",
        fresh_within=DAILY,
        checks=(Unique(("airline_code",)),),
    )

    class Meta(MirroredTable.Meta):
        db_table = "airlines"
        verbose_name = verbose_name_plural = "airlines"


class Airports(MirroredTable):
    """The airports of all flights. What the project's list does not know is empty."""

    airport = models.TextField(db_column="Airport", help_text="code of the airport")
    airport_name = models.TextField(
        db_column="Airport_Name", null=True, help_text="name of the airport"
    )
    city = models.TextField(db_column="City", help_text="city and state")
    state = models.TextField(db_column="State", null=True, help_text="state or territory")
    latitude = models.FloatField(
        db_column="Latitude", null=True, help_text="degrees north of the equator"
    )
    longitude = models.FloatField(
        db_column="Longitude", null=True, help_text="degrees east of Greenwich"
    )
    time_zone = models.TextField(
        db_column="Time_Zone", null=True, help_text="such as America/New_York"
    )

    mirror = Mirror(
        order=("airport",),
        key=("airport",),
        rows="airports",
        facets=("state", "time_zone"),
        units={"latitude": "degrees", "longitude": "degrees"},
        fresh_within=DAILY,
        checks=(
            Unique(("airport",)),
            NotNull(("latitude", "longitude", "time_zone"), severity=WARN),
            InRange(("latitude",), -90, 90),
            InRange(("longitude",), -180, 180),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "airports"
        verbose_name = verbose_name_plural = "airports"
