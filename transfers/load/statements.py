"""Run SQL that Django's ORM cannot express, with quoted names and literals."""

from typing import Any

from django.db import connection
from psycopg import sql


def execute(statement: str, *parts: sql.Composable, **named: sql.Composable) -> None:
    """Run a statement, after filling its `{}` placeholders like `psycopg.sql.SQL.format`."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*parts, **named))


def fetch(statement: str, *parts: sql.Composable, **named: sql.Composable) -> list[Any]:
    """Run a query, with placeholders like those of `execute`, and return all rows as tuples."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*parts, **named))
        return list(cursor.fetchall())
