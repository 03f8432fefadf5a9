"""Statements run by libpq's own calls, and frequent ones are prepared."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from flights.query import statements
from flights.query.statements import PREPARED, USES
from tests.servers import POSTGRESQL

NUMBER = "SELECT count(*)::int FROM pg_prepared_statements WHERE name LIKE 'frequent%'"


@pytest.fixture
def connection() -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        yield connection


def prepared(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute(NUMBER, prepare=False).fetchone()
    assert row
    return int(row[0])


def test_a_frequent_statement_is_prepared_once(connection: "psycopg.Connection[Any]") -> None:
    for value in range(USES):
        assert statements.rows(connection, "SELECT $1::int + 1", [value]) == [(value + 1,)]
    assert prepared(connection) == 0
    for value in range(USES):
        assert statements.rows(connection, "SELECT $1::int + 1", [value]) == [(value + 1,)]
    assert prepared(connection) == 1


def test_values_of_different_sizes_fit_the_same_frequent_statement(
    connection: "psycopg.Connection[Any]",
) -> None:
    for value in (1, 40_000, 2**40, 1.5, None):
        for _ in range(USES + 2):
            assert statements.rows(connection, "SELECT $1::float8", [value]) == [(value,)]


def test_no_more_than_some_statements_stay_prepared(connection: "psycopg.Connection[Any]") -> None:
    for number in [*range(PREPARED + 10), 0]:
        for _ in range(USES + 1):
            assert statements.rows(connection, f"SELECT {number}", []) == [(number,)]
    assert 0 < prepared(connection) <= PREPARED


def test_an_error_is_raised_and_the_connection_works_on(
    connection: "psycopg.Connection[Any]",
) -> None:
    for _ in range(USES + 2):
        assert statements.rows(connection, "SELECT 1 / $1::int", [1]) == [(1,)]
        with pytest.raises(psycopg.errors.DivisionByZero):
            statements.rows(connection, "SELECT 1 / $1::int", [0])
    with pytest.raises(psycopg.errors.UndefinedTable):
        statements.rows(connection, "SELECT 1 FROM missing", [])


def test_a_connection_that_ends_is_an_operational_error(
    connection: "psycopg.Connection[Any]",
) -> None:
    with pytest.raises(psycopg.OperationalError):
        statements.rows(connection, "SELECT pg_terminate_backend(pg_backend_pid())", [])
    assert connection.closed
    with pytest.raises(psycopg.OperationalError):
        statements.rows(connection, "SELECT 1", [])
