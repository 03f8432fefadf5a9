"""The description of each table: columns, published version, freshness."""

from datetime import datetime, timedelta

import pytest
from django.core import checks
from django.db import models
from django.utils import timezone

from flights.mirror import Mirror, MirroredTable
from flights.models import PublishedTable, TableVersion
from flights.tables import NAMES, TABLES
from tests.platform import Platform, Site
from transfers.models import Transfer


@pytest.mark.parametrize("table", NAMES)
def test_a_table_describes_itself_as_the_list_does(site: Site, table: str) -> None:
    body = site.get(f"/api/{table}/describe").json()
    listed = {entry["table"]: entry for entry in site.get("/api/").json()}
    assert body == listed[table]
    assert site.get(f"{body['url']}?order_by={body['order']}&limit=1").status == 200


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table._meta.db_table)
def test_every_number_has_a_unit(table: type[MirroredTable]) -> None:
    numbers = (models.IntegerField, models.FloatField, models.DecimalField)
    numeric = {field.name for field in table.columns() if isinstance(field, numbers)}
    assert set(table.mirror.units) == numeric


def test_a_table_says_its_columns_limits_and_where_it_is_from(site: Site) -> None:
    body = site.get("/api/flight_delay_data/describe").json()
    columns = {column["name"]: column for column in body["columns"]}
    delay = columns["Arrival_Delay_Minutes"]
    assert (delay["type"], delay["unit"], delay["nullable"]) == ("integer", "minutes", True)
    assert columns["Airline_Name"]["facets"]
    assert columns["Airline_Name"]["unit"] is None
    assert body["limits"] == {"default_limit": 1000, "max_limit": 10000, "timeout": 5.0}
    assert body["key"] == []
    assert body["order"] == "Flight_Date,Airline_Name,Origin_City,Destination_City"
    transfer = Transfer.objects.get(pk=body["transfer"])
    assert (transfer.table, str(transfer.version)) == ("flight_delay_data", "flight_delay_data/1")
    assert body["source_version"] == transfer.source_version


def test_a_table_goes_stale_and_says_so_at_once(demo: Platform, site: Site) -> None:
    path = "/api/delays_by_day/describe"
    before = site.get(path)
    assert before.json()["stale"] is False
    assert datetime.fromisoformat(before.json()["confirmed_at"]) <= timezone.now()
    assert site.get(path, If_None_Match=before.headers["etag"]).status == 304
    version = PublishedTable.objects.get(table="delays_by_day").current
    long_ago = timezone.now() - timedelta(days=2)
    TableVersion.objects.filter(pk=version.pk).update(confirmed_at=long_ago)
    try:
        after = site.get(path, If_None_Match=before.headers["etag"])
        assert after.json()["stale"] is True
        assert "public" not in after.headers["cache-control"]
        demo.manage("transfer", "delays_by_day")  # finds it unchanged
        assert site.get(path).json()["stale"] is False
    finally:
        TableVersion.objects.filter(pk=version.pk).update(confirmed_at=version.confirmed_at)


def test_an_unpublished_table_is_described_too(fresh: Platform) -> None:
    with fresh.site(processes=1) as site:
        body = site.get("/api/delays_by_day/describe").json()
    unknown = ("version", "rows", "source_version", "transfer", "since", "confirmed_at")
    assert [body[name] for name in unknown] == [None] * 6
    assert body["stale"] is True
    assert len(body["columns"]) == 4


def test_a_table_that_cannot_be_described_is_refused_at_start() -> None:
    class Wrong(MirroredTable):
        day = models.TextField(db_column="the day", help_text="a day")
        mirror = Mirror(order=("day",), units={"delay": "minutes"})

        class Meta(MirroredTable.Meta):
            app_label = "wrong"

    errors = {error.id: error.msg for error in Wrong.check() if isinstance(error, checks.Error)}
    assert "'delay'" in errors["flights.E001"]
    assert "'the day'" in errors["flights.E005"]


def test_names_that_postgresql_would_cut_are_refused_at_start() -> None:
    class Long(MirroredTable):
        day = models.TextField(db_column="d" * 64, help_text="a day")
        mirror = Mirror(order=("day",))

        class Meta(MirroredTable.Meta):
            app_label = "wrong"
            db_table = "t" * 46

    errors = [error.msg for error in Long.check() if error.id == "flights.E007"]
    assert [error.partition("which")[2] for error in errors] == [
        " is longer than 63 bytes.",
        " is longer than 45 bytes.",
    ]
