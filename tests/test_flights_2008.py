"""The committed flights of 2008 are what their README says."""

import duckdb

from tests.data import FLIGHTS_2008

CANCELLED = "Departure_Delay_Minutes IS NULL"
COUNTS = {
    "count(*)": 41_169,
    "count(DISTINCT uniqueCarrier)": 20,
    "count(DISTINCT origin)": 286,
    f"count(*) FILTER ({CANCELLED})": 1_661,
    "count(cancellationCode)": 1_661,
    f"count(*) FILTER ({CANCELLED} AND uniqueCarrier = 'AA' AND month = 4)": 942,
    f"count(*) FILTER (NOT {CANCELLED} AND Arrival_Delay_Minutes IS NULL)": 98,
    "count(*) FILTER (carrierDelay != 'NA')": 10_237,
    "count(*) FILTER (2400 IN (crsDepTime, crsArrTime, depTime, arrTime))": 25,
    "count(*) FILTER (tailNum IS NULL)": 1_324,
    "count(DISTINCT (Flight_Date, uniqueCarrier, flightNum, origin, crsDepTime))": 41_165,
    "count(*) FILTER (cancelled != '\\N' OR diverted != '\\N')": 0,
}


def test_the_file_has_what_the_readme_states() -> None:
    flights = duckdb.read_parquet(str(FLIGHTS_2008))
    (counts,) = flights.aggregate(", ".join(COUNTS)).fetchall()
    assert dict(zip(COUNTS, counts, strict=True)) == COUNTS


def test_the_file_is_smaller_than_a_megabyte() -> None:
    assert FLIGHTS_2008.stat().st_size < 1_000_000
