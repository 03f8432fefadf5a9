"""Write flights-2008.parquet: `python -m tests.data.make`. README.md describes the file."""

import duckdb

from tests import national_data
from tests.data import FLIGHTS_2008

DAYS = "('2008-02-28', '2008-04-10')"
REPEATED = "depDelay, arrDelay"  # equal to Departure_Delay_Minutes and Arrival_Delay_Minutes
ORDER = "Flight_Date, uniqueCarrier, tailNum, crsDepTime, origin, flightNum"  # compresses best


def make() -> None:
    flights = duckdb.read_parquet(str(national_data.FILE))
    flights = flights.filter(f"Flight_Date IN {DAYS}").order(ORDER)
    duckdb.sql(
        f"COPY (SELECT * EXCLUDE ({REPEATED}) FROM flights) TO '{FLIGHTS_2008}'"
        " (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 19,"
        " ROW_GROUP_SIZE 100000)"
    )


if __name__ == "__main__":
    make()
