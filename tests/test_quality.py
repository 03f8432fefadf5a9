"""Quality checks: each kind, what a failure does, and who may publish in spite of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.db import models

from flights.mirror import Mirror, MirroredTable
from flights.models import TableVersion
from flights.quality import BLOCK, WARN, InRange, NotNull, RowCount, Unique
from flights.tables import TABLES
from tests.platform import Platform, Site
from tests.platforms import own_platform
from tests.warehouse.each import each_warehouse
from transfers.quality import table_checks
from transfers.quality.results import Result, words
from transfers.run import source_reader
from transfers.run.quality import Inspection
from transfers.warehouses import Warehouse, connect

__all__ = ["each_warehouse"]  # a fixture

FLIGHTS = "2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,-5,\n2013-01-09,Gamma,C,A,7,7"
LATE = "2014-01-10,Gamma,C,A,7,5000"  # minutes: more than three days
SECRET = "t" * 32  # the CSRF cookie and field, which must be equal
FORM = "application/x-www-form-urlencoded"
SOME = ("airline_performance", "delays_by_day", "flight_delay_data")
TUESDAY = "Day_of_Week = 'Tuesday'"
REASON = "the year begins again"


class Parcel(MirroredTable):
    """A table with wrong rows."""

    code = models.TextField(null=True)  # noqa: DJ001  # as in a warehouse
    day = models.DateField(null=True)
    weight = models.IntegerField(null=True)

    mirror = Mirror(
        order=("code", "weight"),
        checks=(
            NotNull(("code", "day"), severity=WARN),
            InRange(("weight",), -5, 9),
            InRange(("weight",), least=-100),
            Unique(("code", "day")),
            RowCount(50),
        ),
    )

    class Meta(MirroredTable.Meta):
        app_label = "quality"
        db_table = "parcels"


ROWS = """
    ('a', DATE '2013-01-01', 1), ('b', DATE '2013-01-01', 2), ('b', DATE '2013-01-01', 3),
    ('b', DATE '2013-01-01', NULL), ('b', DATE '2013-01-02', 4), (NULL, DATE '2013-01-01', -6),
    (NULL, DATE '2013-01-01', 10), ('c', NULL, 5)
"""


@pytest.fixture
def parcels(each_warehouse: Warehouse) -> Warehouse:
    """A warehouse of each kind with the wrong rows."""
    with each_warehouse.change() as change:
        change.execute("CREATE OR REPLACE TABLE parcels (code STRING, day DATE, weight INT)")
        change.execute(f"INSERT INTO parcels VALUES {ROWS}")
    return each_warehouse


def test_each_kind_of_check_finds_the_rows_that_break_it(parcels: Warehouse) -> None:
    current = TableVersion(table="parcels", number=7, rows=17)
    with parcels.snapshot("parcels") as source:
        nulls, limits, least, unique, count = table_checks.measure(Parcel, current, source).results
    assert (nulls.check, nulls.severity, nulls.rows) == ("code, day not null", WARN, 3)
    assert nulls.columns == ("code", "weight", "day")
    assert ("c", 5, None) in nulls.examples
    assert limits.finding == "not so in 2 rows; the first: weight -6, day 2013-01-01"
    assert limits.blocks
    assert (least.check, least.status) == ("weight at least -100", "passed")
    assert (unique.check, unique.severity, unique.rows) == ("code, day unique", BLOCK, 2)
    assert (unique.columns, unique.examples) == (("code", "day", "rows"), (("b", "2013-01-01", 3),))
    assert count.finding == "8 rows, but 17 in version 7"


class Spaced(MirroredTable):
    """Parcels whose columns have spaces in the warehouse."""

    the_code = models.TextField(null=True)  # noqa: DJ001  # as in a warehouse
    weight = models.IntegerField(null=True)

    mirror = Mirror(order=("the_code",), checks=(Unique(("the_code",)),))

    class Meta(MirroredTable.Meta):
        app_label = "quality"
        db_table = "spaced"


def test_columns_that_the_warehouse_spells_with_spaces_are_checked(parcels: Warehouse) -> None:
    call_command("migrate", verbosity=0)
    rows = "VALUES ('a', 1), ('b', 2), ('b', 3)"
    with parcels.change() as change:
        change.execute(
            f"CREATE OR REPLACE TABLE spaced AS SELECT * FROM ({rows}) AS r(`The Code`, Weight)"
        )
    inspection = Inspection(parcels, watch=lambda: None)
    with source_reader.of_model(parcels, Spaced, lambda: None) as source:
        (unique,) = inspection.begin(Spaced, source)().results
    assert (unique.rows, unique.columns) == (1, ("the_code", "rows"))


def test_row_counts_are_compared_from_the_second_version_on(parcels: Warehouse) -> None:
    def count(current: TableVersion | None) -> Result:
        return table_checks.measure(Parcel, current, source).results[-1]

    with parcels.snapshot("parcels") as source:
        assert count(None).status == "skipped"
        assert count(TableVersion(number=1, rows=16)).status == "passed"
        assert count(TableVersion(number=1, rows=17)).blocks


def test_no_more_than_ten_rows_are_shown(parcels: Warehouse) -> None:
    with parcels.change() as change:
        change.execute("INSERT INTO parcels SELECT 'x', NULL, id FROM range(10, 40) AS r(id)")
    with parcels.snapshot("parcels") as source:
        limits = table_checks.measure(Parcel, None, source).results[1]
    assert (limits.rows, len(limits.examples)) == (32, 10)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """A platform with version 1 of some tables, built from three flights."""
    with own_platform() as own:
        own.ingest(FLIGHTS)
        own.manage("transfer", *SOME)
        yield own


def query(platform: Platform, code: str) -> Any:
    """The JSON that an expression returns in a process of the platform."""
    imports = "import json; from transfers.models import *; from flights.models import *"
    return json.loads(platform.python(f"{imports}; print(json.dumps({code}))"))


LAST = "Transfer.objects.filter(table='{0}').values_list('{1}', flat=True).first()"
OVERRIDE = "TableVersion.objects.get(table='{0}', number=2).override"
OPEN_ALERTS = "Alert.objects.filter(kind='failed', ended_at=None).count()"


def test_a_failed_check_publishes_nothing_until_somebody_overrides_it(platform: Platform) -> None:
    platform.ingest("2014-01-07,Alpha,A,B,10,20")
    done = platform.attempt("transfer", *SOME)
    assert done.returncode == 1
    assert "flight_delay_data: check failed: at least 50 % as many rows" in done.stderr
    assert "1 row, but 3 in version 1" in done.stderr
    assert "--despite-checks REASON" in done.stderr
    assert "* delays_by_day/1" in platform.manage("versions")
    failed = query(platform, LAST.format("flight_delay_data", "checks"))
    assert [check["status"] for check in failed] == ["passed"] * 3 + ["failed"]
    assert query(platform, OPEN_ALERTS) == len(SOME)

    assert "say why" in platform.attempt("transfer", *SOME, "--despite-checks", " ").stderr
    output = platform.manage("transfer", *SOME, "--despite-checks", REASON)
    assert "flight_delay_data/2: 1 row" in output
    assert REASON in output
    override = query(platform, OVERRIDE.format("flight_delay_data"))
    assert override["reason"] == REASON
    assert override["by"]
    assert override["at"].startswith("20")
    assert query(platform, OVERRIDE.format("delays_by_day")) is None
    assert query(platform, OPEN_ALERTS) == 0


def test_a_warning_is_noted_and_alerts_nobody(platform: Platform) -> None:
    platform.ingest(LATE, "--append")
    output = platform.manage("transfer", *SOME)
    assert (
        "warn: Departure_Delay_Minutes, Arrival_Delay_Minutes from -180 to 4320: not so in 1 row"
        in output
    )
    assert query(platform, LAST.format("flight_delay_data", "mode")) == "append"
    warning, release = query(platform, LAST.format("flight_delay_data", "notes"))
    assert "release" in release
    assert warning.endswith(
        "Destination_City A, Departure_Delay_Minutes 7, Arrival_Delay_Minutes 5000"
    )
    assert query(platform, OPEN_ALERTS) == 0


def test_sums_must_agree_between_tables_transferred_together_or_alone(platform: Platform) -> None:
    with changed(platform, "UPDATE delays_by_day SET Total_Flights = Total_Flights + 4"):
        for tables in (["delays_by_day"], SOME):
            done = platform.attempt("transfer", *tables)
            assert done.returncode == 1
            assert (
                "delays_by_day: check failed: sum of Total_Flights = rows of flight_delay_data: "
                in done.stderr
            )
    # A column is missing that the total does not need.
    lacking = "SELECT * EXCEPT (Origin_City) FROM flight_delay_data WHERE Airline_Name <> 'Alpha'"
    with changed(platform, f"CREATE OR REPLACE TABLE flight_delay_data AS {lacking}"):
        done = platform.attempt("transfer", "delays_by_day", "--force")
        assert "delays_by_day: check failed: sum of Total_Flights" in done.stderr
    # The table of flights changes, and a table that was built of it does not.
    with changed(platform, "DELETE FROM flight_delay_data WHERE Airline_Name = 'Alpha'"):
        done = platform.attempt("transfer", *SOME)
        assert "airline_performance: check failed" in done.stderr
        assert "flight_delay_data/4: 1 row" in platform.manage("transfer", "flight_delay_data")
    platform.manage("broker", "--force")
    platform.manage("transfer", *SOME)


def test_an_administrator_publishes_in_spite_of_a_failed_check(platform: Platform) -> None:
    with (
        changed(platform, f"INSERT INTO delays_by_day SELECT * FROM delays_by_day WHERE {TUESDAY}"),
        platform.site(processes=1) as site,
    ):
        done = platform.attempt("transfer", "delays_by_day")
        assert "    Day_of_Week Tuesday, rows 2" in done.stderr.splitlines()
        failed = query(platform, LAST.format("delays_by_day", "pk"))
        boss, operator = sign_in(platform, "administrator"), sign_in(platform, "operator")
        page = site.get(f"/admin/transfers/transfer/{failed}/change/", Cookie=boss)
        assert b'<th scope="col" class="pr-4 font-semibold">Day_of_Week</th>' in page.body
        assert b"Tuesday</td>" in page.body
        address = f"/admin/transfers/transfer/{failed}/publish-anyway/"
        assert address.encode() in page.body
        assert post(site, address, operator, REASON) == 403
        assert post(site, address, boss, "") == 400
        assert post(site, address, boss, REASON) == 200
        assert "published despite" in platform.manage("transfer", "delays_by_day")

        last = "TableVersion.objects.filter(table='delays_by_day').values_list('pk').first()[0]"
        version = query(platform, last)
        page = site.get(f"/admin/flights/tableversion/{version}/change/", Cookie=operator)
        assert REASON.encode() in page.body
        assert b"Tuesday</td>" in page.body
        describe = site.get("/api/delays_by_day/describe")
        results = {(c["severity"], c["status"], c["rows"]) for c in describe.json()["checks"]}
        assert results == {("block", "failed", 1), ("block", "failed", None)}
        assert describe.json()["checks_overridden"] is True
        assert REASON.encode() not in describe.body
        assert REASON in platform.manage("versions", "delays_by_day")


def sign_in(platform: Platform, group: str) -> str:
    """The cookies of a new user of a group of the admin."""
    session = platform.python(
        "from django.contrib.auth.models import Group, User; from django.test import Client;"
        f"user = User.objects.create_user({group!r}, is_staff=True);"
        f"user.groups.set(Group.objects.filter(name={group!r}));"
        "client = Client(); client.force_login(user); print(client.cookies['sessionid'].value)"
    ).strip()
    return f"sessionid={session}; csrftoken={SECRET}"


def post(site: Site, path: str, cookies: str, reason: str) -> int:
    """Submit the page that asks for a reason."""
    form = urlencode({"reason": reason, "csrfmiddlewaretoken": SECRET}).encode()
    return site.request("POST", path, form, Cookie=cookies, Content_Type=FORM).status


@contextmanager
def changed(platform: Platform, sql: str) -> Iterator[None]:
    """Change the warehouse by SQL during the block; the broker undoes it."""
    warehouse = connect(f"duckdb://{platform.warehouse}")
    with warehouse.change() as change:
        change.execute(sql)
    yield
    platform.manage("broker", "--force")


def test_every_check_names_existing_columns() -> None:
    texts = [words(model, check) for model in TABLES for check in model.mirror.checks]
    assert "sum of Scheduled_Flights with Direction departing = rows with a value of Origin" in str(
        texts
    )
