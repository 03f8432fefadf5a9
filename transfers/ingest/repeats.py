"""Repeated flights: records of the same date, airline, number, airports and scheduled departure."""

from typing import Literal

from transfers import warehouses
from transfers.warehouses import Change, spark_sql

RAW = "raw_flight_records"
KEY = (
    "Flight_Date, coalesce(Airline_Code, Airline_Name), Flight_Number, Origin, Destination,"
    " Scheduled_Departure"
)
# The order of repeated records; the first one stays: one of a flight that departed, if any.
BEST = "CASE WHEN Departure_Delay_Minutes IS NULL THEN 1 ELSE 0 END"

type Treatment = Literal["keep", "refuse", "drop"]


def count(change: Change, condition: str, *tables: str) -> int:
    """Return how many records of tables repeat another one; those without a number do not."""
    columns = "Airline_Code, Airline_Name, Flight_Number, Origin, Destination, Scheduled_Departure"
    where = f"WHERE Flight_Number IS NOT NULL AND {condition}"
    rows = " UNION ALL ".join(
        spark_sql.select(f"Flight_Date, {columns}", f"{table} {where}") for table in tables
    )
    groups = spark_sql.select("count(*) AS Records", f"({rows}) GROUP BY {KEY}")
    total = spark_sql.select("coalesce(sum(Records - 1), 0) AS n", f"({groups})")
    return int(change.query(total)["n"][0].as_py())


def drop(change: Change, condition: str, incoming: str) -> None:
    """Remove repeated records from the raw table; `incoming` is a table for the others."""
    schema = warehouses.schema(change, RAW)
    columns = ", ".join(map(spark_sql.name, schema.names))
    number = f"row_number() OVER (PARTITION BY {KEY} ORDER BY {BEST}) AS airsense_repeat"
    rows = spark_sql.select(f"*, {number}", f"{RAW} WHERE {condition}")
    unique = f"({rows}) WHERE airsense_repeat = 1 OR Flight_Number IS NULL"
    change.execute(f"CREATE OR REPLACE TABLE {incoming} AS {spark_sql.select(columns, unique)}")
    change.replace(RAW, f"({condition})", spark_sql.select(columns, incoming))
    change.drop(incoming)
