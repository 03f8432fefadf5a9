"""SQL that Django's models cannot say, run with its names and literals quoted."""

from typing import Any

from django.db import connection
from psycopg import sql


def execute(statement: str, *parts: sql.Composable, **named: sql.Composable) -> None:
    """Run a statement, its placeholders filled as by `psycopg.sql.SQL.format`."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*parts, **named))


def fetch(statement: str, *parts: sql.Composable, **named: sql.Composable) -> list[Any]:
    """All rows of a query, each a tuple."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*parts, **named))
        return list(cursor.fetchall())
