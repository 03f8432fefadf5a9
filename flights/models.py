"""One class for each mirrored table, and what is published of them."""

import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5
from django.utils import timezone

from .mirror import Mirror, MirroredTable

# The schedule transfers every hour what changed; a day without that is for people to look at.
DAILY = timedelta(days=1)
AVERAGED = {
    "avg_departure_delay": "minutes",
    "avg_arrival_delay": "minutes",
    "total_flights": "flights",
}


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
            ("-departure_delay_minutes",),  # the latest are asked for more than the earliest
            ("-arrival_delay_minutes",),
        ),
    )

    class Meta(MirroredTable.Meta):
        db_table = "flight_delay_data"
        verbose_name = verbose_name_plural = "flight delay data"


class AirlinePerformance(MirroredTable):
    """Average delays of each airline, over all its flights."""

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
        units=AVERAGED,
        fresh_within=DAILY,
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
        db_column="Avg_Departure_Delay", help_text="average minutes of a late departure"
    )
    total_arrival_delay = models.BigIntegerField(
        db_column="Total_Arrival_Delay", help_text="minutes of all late arrivals together"
    )
    total_arrivals = models.BigIntegerField(
        db_column="Total_Arrivals", help_text="arrivals that were late"
    )
    avg_arrival_delay = models.FloatField(
        db_column="Avg_Arrival_Delay", help_text="average minutes of a late arrival"
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
        units=AVERAGED,
        fresh_within=DAILY,
    )

    class Meta(MirroredTable.Meta):
        db_table = "delays_by_day"
        verbose_name = verbose_name_plural = "delays by day"


class TableVersion(models.Model):
    """One immutable copy of a table. The relation named by `relation` holds its rows."""

    table = models.TextField()
    number = models.PositiveIntegerField()
    columns = models.JSONField(help_text="PostgreSQL type of each column, by its name")
    source_version = models.TextField(help_text="version of the warehouse's table it was read at")
    rows = models.PositiveBigIntegerField()
    digest = models.TextField(help_text="hash of all its rows, whatever their order")
    made_by = models.PositiveBigIntegerField(null=True, help_text="number of its transfer")
    loaded_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, help_text="when it was first published")
    confirmed_at = models.DateTimeField(
        null=True, help_text="when it was last found equal to its source"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["table", "number"], name="one_version_of_a_number")
        ]
        ordering = ["table", "-number"]

    def __str__(self) -> str:
        return f"{self.table}/{self.number}"

    @property
    def relation(self) -> str:
        return f"{self.table}__v{self.number}"

    @property
    def dictionary(self) -> str:
        """The relation of the distinct values of its columns, for search."""
        return f"{self.relation}__values"


class PublishedTable(models.Model):
    """The row that says which version of a table is current; publishing updates it."""

    table = models.TextField(primary_key=True)
    current = models.OneToOneField(TableVersion, models.PROTECT, related_name="published")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.current)


SCOPES = {
    "query": "rows, groups and counts of tables",
    "search": "search of all tables",
    "export": "files of whole queries",
}


def all_scopes() -> list[str]:
    return list(SCOPES)


class ApiKey(models.Model):
    """A larger allowance for somebody. Data are public: without a key the same can be asked."""

    secret = ""  # only of a key that was made a moment ago; nothing keeps it
    name = models.TextField(help_text="whose it is, or what for")
    prefix = models.TextField(editable=False, help_text="its first characters")
    digest = models.TextField(editable=False, unique=True, help_text="SHA-256 of it")
    scopes = ArrayField(
        models.TextField(choices=SCOPES.items()), default=all_scopes, help_text="what it is for"
    )
    rate = models.PositiveIntegerField(
        default=6_000, validators=[MinValueValidator(1)], help_text="requests a minute"
    )
    note = models.TextField(blank=True)
    ends_at = models.DateTimeField("ends", null=True, blank=True, help_text="empty for never")
    made_at = models.DateTimeField("made", auto_now_add=True)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        verbose_name, ordering = "API key", ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "ended" if self.ends_at and self.ends_at <= timezone.now() else "valid"


class Export(models.Model):
    """A file of a query's rows that was asked for, and what became of it."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        EXPIRED = "expired"  # the file is removed

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.TextField()
    number = models.PositiveIntegerField("version", help_text="the one that is read")
    query = models.TextField(blank=True, help_text="parameters of the query API, by name")
    format = models.TextField()
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.QUEUED)
    asked_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(default=timezone.now, help_text="when it is made, or made again")
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, help_text="which attempt makes or made the file")
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="until when the file is kept")
    rows_done = models.PositiveBigIntegerField(default=0)
    rows_total = models.PositiveBigIntegerField(null=True)
    bytes = models.PositiveBigIntegerField(default=0)
    digest = models.TextField(blank=True, help_text="SHA-256 of the file, in hexadecimal")
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                *("table", "number", MD5("query"), "format"),
                condition=Q(status__in=["queued", "running", "done"]),
                name="one_export_of_a_query",
            )
        ]
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.version} as {self.format}"

    @property
    def asked_by(self) -> str:
        """Everybody who asked for it, the first one first."""
        return ", ".join(map(str, self.askers.all()))

    @property
    def version(self) -> str:
        return f"{self.table}/{self.number}"

    @property
    def stored(self) -> str:
        """What the file is called where it is kept; each attempt writes a file of its own."""
        return f"{self.claim}.{self.format}"

    @property
    def filename(self) -> str:
        """What the file is called where it is downloaded to."""
        return f"{self.table}__v{self.number}.{self.format}"


class Asker(models.Model):
    """A user, or a key of the API, who asked for an export. The same export can have several."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="askers")
    user = models.TextField(blank=True, help_text="name of the user; empty where it was a key")
    key = models.ForeignKey(ApiKey, models.CASCADE, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user="", key__isnull=False) | Q(~Q(user=""), key=None),
                name="a_user_or_a_key_asks",
            ),
            models.UniqueConstraint(
                fields=["export", "user", "key"], nulls_distinct=False, name="asks_once"
            ),
        ]
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"key {self.key}" if self.key else self.user

    def exports(self) -> "models.QuerySet[Export]":
        """All that are asked for by the same."""
        mine = Q(askers__key=self.key_id) if self.key_id else Q(askers__user=self.user)
        return Export.objects.filter(mine)
