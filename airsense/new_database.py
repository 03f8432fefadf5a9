"""Create the platform's database on a server that does not have it yet."""

import psycopg
from django.db import OperationalError, connection
from psycopg import sql

BUILTIN = 170_000  # the first version of PostgreSQL that compares texts without a C library


def create_if_missing() -> None:
    """Create the database of DATABASE_URL with the locale C.UTF-8, in which AirSense sorts texts.

    Managed servers create databases with another locale, so let `manage.py setup` create this one.
    Raises OperationalError if the server does not answer or refuses.
    """
    name = connection.settings_dict["NAME"]
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if f'database "{name}" does not exist' not in str(error):
            raise
        with connection.wrap_database_errors:
            _create(name)


def _create(name: str) -> None:
    server = {**connection.get_connection_params(), "dbname": "postgres"}
    with psycopg.connect(**server, autocommit=True) as database:
        locale = "LOCALE 'C.UTF-8'"
        if database.info.server_version >= BUILTIN:
            locale += " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        statement = f"CREATE DATABASE {{}} TEMPLATE template0 ENCODING 'UTF8' {locale}"
        database.execute(sql.SQL(statement).format(sql.Identifier(name)))
