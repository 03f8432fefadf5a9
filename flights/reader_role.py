"""The role that the public reads through: it can select what is published, and nothing else."""

from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from psycopg import sql

from .access.keys import READ
from .models import ApiKey, PublishedTable, TableVersion
from .versions import READER


class NoReader(Exception):
    """The reader's role is missing and cannot be made; the message has the cure."""


def prepare() -> str:
    """Make or renew the role, let it read what versions there are; returns its name."""
    role = str(settings.DATABASES[READER]["USER"])
    with transaction.atomic():
        if not settings.HAS_READER_URL:
            _make(role)
        for model in (TableVersion, PublishedTable):
            _execute("GRANT SELECT ON {} TO {}", model._meta.db_table, role)
        columns = sql.SQL(", ").join(map(sql.Identifier, ("id", "digest", *READ)))
        _execute("GRANT SELECT ({}) ON {} TO {}", columns, ApiKey._meta.db_table, role)
        # A public query could fill the disk through temporary tables.
        _execute("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", settings.DATABASES[READER]["NAME"])
    return role


def _make(role: str) -> None:
    verb = "ALTER" if _exists(role) else "CREATE"
    password = sql.Literal(settings.DATABASES[READER]["PASSWORD"])
    try:
        _execute(f"{verb} ROLE {{}} LOGIN NOINHERIT PASSWORD {{}}", role, password)
    except ProgrammingError as error:
        raise NoReader(
            f"{settings.DATABASES['default']['USER']} may not make the role {role}. Let an owner of"
            " the server make a role that can log in, and give its address in READER_URL."
        ) from error


def _exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        return cursor.fetchone() is not None


def _execute(statement: str, *parts: str | sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(statement).format(
                *(sql.Identifier(p) if isinstance(p, str) else p for p in parts)
            )
        )
