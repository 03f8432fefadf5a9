"""The dictionary of search is the same, whether a transfer or PostgreSQL counts the values."""

import json
from typing import Any

from tests.platform import Platform

# Names that a CSV file, an array or a literal has to escape, in several batches of rows.
NAMES = ["O'Hare", 'a "quoted" name', "back\\slash", "{NULL}", "NULL", "São Paulo", "東京", "%s"]
CITY = 2  # place of the column
MANY = 40_000  # more names than a transfer counts

READ = """
import json
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT * FROM flight_delay_data__v1__values ORDER BY field, value")
    print(json.dumps(cursor.fetchall()))
    {then}
"""


def dictionary(own: Platform, then: str = "") -> list[Any]:
    lines = own.python(READ.format(then=then)).splitlines()
    rows: list[Any] = json.loads(lines[-1])
    return rows


def flight(number: int) -> str:
    city = NAMES[number % len(NAMES)].replace('"', '""')
    day, airline = f"2013-01-{number % 28 + 1:02}", f"Airline {number:07} of some length"
    return f'{day},{airline},"{city}",Y,{number % 5},'


def test_a_transfer_counts_the_values_that_postgresql_counts(fresh: Platform) -> None:
    fresh.ingest("\n".join(map(flight, range(MANY))))
    fresh.manage("transfer", "flight_delay_data")
    counted = dictionary(fresh, then='cursor.execute("DROP TABLE flight_delay_data__v1__values")')
    fresh.manage("setup")
    assert counted == dictionary(fresh)
    assert [sum(row[0] == field for row in counted) for field in range(5)] == [28, MANY, 8, 1, 5]
    cities = {value: rows for field, value, _, rows, _, _ in counted if field == CITY}
    assert (set(cities), sum(cities.values())) == (set(NAMES), MANY)
