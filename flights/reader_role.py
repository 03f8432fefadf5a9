"""Create the PostgreSQL role that public queries use. It may only select published data."""

from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection, connections, transaction
from psycopg import sql

from .access.keys import READ
from .models import ApiKey, Citation, PublishedTable, TableVersion
from .versions import READER


class ReaderRoleMissing(Exception):
    """The reader role does not exist and cannot be created; the message says what to do."""


def prepare() -> str:
    """Create or update the role and grant what it needs; returns its name.

    While SECRET_KEY is being replaced, a password derived from either key stays valid.

    Transfers grant it the relations of new versions. Raises ReaderRoleMissing.
    """
    role = str(settings.DATABASES[READER]["USER"])
    with transaction.atomic():
        # A role of READER_URL that exists belongs to whoever created it.
        is_foreign = settings.HAS_READER_URL and _exists(role)
        is_known = bool(settings.SECRET_KEY_FALLBACKS) and _can_connect()
        if not (is_foreign or is_known):
            _create(role)
        for model in (TableVersion, PublishedTable, Citation):
            _execute("GRANT SELECT ON {} TO {}", model._meta.db_table, role)
        columns = sql.SQL(", ").join(map(sql.Identifier, ("id", "digest", *READ)))
        _execute("GRANT SELECT ({}) ON {} TO {}", columns, ApiKey._meta.db_table, role)
        # Otherwise a public query could fill the disk with temporary tables.
        _execute("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", settings.DATABASES[READER]["NAME"])
    return role


def _create(role: str) -> None:
    verb = "ALTER" if _exists(role) else "CREATE"
    password = sql.Literal(settings.DATABASES[READER]["PASSWORD"])
    try:
        _execute(f"{verb} ROLE {{}} LOGIN NOINHERIT PASSWORD {{}}", role, password)
    except ProgrammingError as error:
        raise ReaderRoleMissing(
            f"{settings.DATABASES['default']['USER']} may not create the role {role}. Ask an"
            " administrator of the server to create a role that can log in, and set READER_URL"
            " to its URL."
        ) from error


def _can_connect() -> bool:
    try:
        connections[READER].connect()
    except OperationalError:
        return False
    connections[READER].close()
    return True


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
