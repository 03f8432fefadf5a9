"""`manage.py transfer --dry-run`, and sources whose columns differ from the model."""

from collections.abc import Iterator

import pytest

from tests.platform import Platform
from tests.platforms import own_platform
from transfers.warehouses import connect

FLIGHTS = "2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,-5,\n2013-01-09,Gamma,C,A,7,7"
TABLES = ["airline_performance", "busiest_airports_by_delays", "delays_by_day", "flight_delay_data"]
CHANGED_RECORDS = "2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,5,5\n2013-01-08,Delta,B,A,5,5"


def change(platform: Platform, statement: str) -> None:
    with connect(f"duckdb://{platform.warehouse}").change() as warehouse:
        warehouse.execute(statement)


@pytest.fixture(scope="module")
def published() -> Iterator[Platform]:
    """A published platform; each test changes different tables."""
    with own_platform() as own:
        own.ingest(FLIGHTS)
        own.manage("transfer", *TABLES)
        yield own


def test_a_dry_run_counts_rows_by_key_and_writes_nothing(published: Platform) -> None:
    published.ingest(CHANGED_RECORDS)
    ask = "from transfers.models import *; print(Transfer.objects.count())"
    before = published.python(ask)
    output = published.manage("transfer", "--dry-run", "airline_performance", "flight_delay_data")
    assert "rows: 1 added, 1 removed, 1 changed\n  removed: Gamma" in output
    assert "rows: 2 added, 2 removed, 0 changed" in output  # flights have no key
    assert published.python(ask) == before
    published.manage("transfer", *TABLES)
    output = published.manage("transfer", "--dry-run", "airline_performance")
    assert "rows: 0 added, 0 removed, 0 changed" in output


def test_a_dry_run_of_an_unpublished_table_adds_every_row(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    output = fresh.manage("transfer", "--dry-run", "flight_delay_data")
    assert "rows: 3 added, 0 removed, 0 changed" in output


def test_a_dry_run_refuses_what_a_transfer_refuses(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", "flight_delay_data")
    for table in ("flight_delay_data", "performance_by_date"):  # published, and not published
        day = "CAST(date_add(DATE'9999-12-31', 1) AS DATE) AS Flight_Date"
        statement = f"CREATE OR REPLACE TABLE {table} AS SELECT * REPLACE ({day}) FROM {table}"
        change(fresh, statement)  # and no date is unique
        for command in (["transfer", "--dry-run"], ["transfer"]):
            refused = fresh.attempt(*command, table)
            assert refused.returncode == 1
            assert f"CommandError: {table}: column Flight_Date of row " in refused.stderr
            assert "is not in the years 1 to 9999." in refused.stderr


def test_every_incompatible_column_is_named(published: Platform) -> None:
    change(
        published,
        "CREATE OR REPLACE TABLE busiest_airports_by_delays AS"
        " SELECT * EXCEPT (City, Total_Arrivals, Avg_Departure_Delay), City AS Name_of_City,"
        " CAST(Avg_Departure_Delay AS STRING) AS Avg_Departure_Delay, TRUE AS extra"
        " FROM busiest_airports_by_delays",
    )
    refused = published.attempt("transfer", "--dry-run", "busiest_airports_by_delays")
    assert refused.returncode == 1
    for line in (
        "refused: City is missing, perhaps renamed to Name_of_City",
        "refused: Avg_Departure_Delay is string, not double",
        "refused: Total_Arrivals is missing\n",
        "accepted: extra is new in the warehouse and is left out",
    ):
        assert line in refused.stdout
    assert "A transfer of busiest_airports_by_delays would be refused." in refused.stderr
    failed = published.attempt("transfer", "busiest_airports_by_delays")
    assert "City is missing, perhaps renamed to Name_of_City" in failed.stderr
    assert "Correct the broker's SQL, or the model" in failed.stderr


def test_compatible_changes_are_accepted_and_recorded(published: Platform) -> None:
    change(
        published,
        "CREATE OR REPLACE TABLE airline_performance AS SELECT 1 AS extra, AVG_ARRIVAL_DELAY,"
        " Airline_Name, Avg_Departure_Delay, CAST(Total_Flights AS INT) AS Total_Flights"
        " FROM airline_performance",
    )
    assert ": 3 rows" in published.manage("transfer", "airline_performance")
    output = published.python(
        "from transfers.models import *; print(Transfer.objects.first().notes)"
    )
    assert "extra is new in the warehouse and is left out" in output
    assert "Total_Flights is int32, not int64, which can hold its values" in output


def test_a_missing_value_that_the_model_does_not_allow_names_column_and_row(
    published: Platform,
) -> None:
    change(published, "UPDATE delays_by_day SET Avg_Arrival_Delay = 0")  # null would be first
    change(published, "INSERT INTO delays_by_day VALUES (NULL, 1.0, 1000.0, 1)")
    failed = published.attempt("transfer", "delays_by_day")
    assert failed.returncode == 1
    assert "delays_by_day: column Day_of_Week of row 1, in the declared order" in failed.stderr


def test_a_dry_run_lists_what_the_public_api_would_lose(published: Platform) -> None:
    published.python(
        "from flights.models import *;"
        " v = TableVersion.objects.filter(table='flight_delay_data').first();"
        " v.columns |= {'Old': 'text', 'Origin_City': 'varchar'}; v.save()"
    )
    output = published.manage("transfer", "--dry-run", "flight_delay_data")
    assert "the public API would lose column Old\n" in output
    assert "would lose varchar as the type of Origin_City, which would be text" in output


def test_a_dry_run_shows_what_the_quality_checks_find(published: Platform) -> None:
    published.manage("broker", "--force")
    output = published.manage("transfer", "--dry-run", "delays_by_day", "flight_delay_data")
    assert "  checks: 2 passed" in output
    tables = ("delays_by_day", "flight_delay_data")
    change(published, "UPDATE delays_by_day SET Total_Flights = Total_Flights + 4")
    change(published, "INSERT INTO delays_by_day SELECT * FROM delays_by_day")
    before = published.python("from transfers.models import *; print(Transfer.objects.count())")
    refused = published.attempt("transfer", "--dry-run", *tables)
    assert refused.returncode == 1
    assert "  block: Day_of_Week unique: not so in " in refused.stdout
    assert "    Day_of_Week Monday, rows 2" in refused.stdout
    assert "  block: sum of Total_Flights = rows of flight_delay_data: " in refused.stdout
    assert "A transfer of delays_by_day would be refused." in refused.stderr
    after = published.python("from transfers.models import *; print(Transfer.objects.count())")
    assert after == before
    published.manage("broker", "--force")
