"""The role of public queries reads published data and nothing else of the database."""

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections

from flights.models import Citation, PublishedTable, TableVersion
from flights.versions import READER
from tests.platform import Platform

RIGHTS = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
SECRETS = ("auth_user", "django_session", "authtoken_token", "otp_totp_totpdevice")


def relations(privileges: str) -> set[str]:
    """The tables and views in which the role has any of the privileges."""
    role = settings.DATABASES[READER]["USER"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND relnamespace = 'public'::regnamespace AND has_table_privilege(%s, oid, %s)",
            [role, privileges],
        )
        return {name for (name,) in cursor.fetchall()}


def test_the_reader_role_reads_versions_their_list_and_citations(demo: Platform) -> None:
    lists = {model._meta.db_table for model in (TableVersion, PublishedTable, Citation)}
    published = set(PublishedTable.objects.values_list("table", flat=True))
    versions = [name for name in relations("SELECT") - lists if not name.startswith("pg_")]
    assert published
    assert all(name.startswith(tuple(published)) for name in versions), versions
    assert lists <= relations("SELECT")
    assert relations(RIGHTS) == set()


@pytest.mark.parametrize("table", SECRETS)
def test_the_reader_role_reads_no_table_about_people(demo: Platform, table: str) -> None:
    with (
        connections[READER].cursor() as cursor,
        pytest.raises(DatabaseError, match="permission denied"),
    ):
        cursor.execute(f"SELECT * FROM {table}")


def test_the_reader_role_owns_nothing_and_inherits_nothing(demo: Platform) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,"
            " (SELECT count(*) FROM pg_auth_members WHERE member = pg_roles.oid),"
            " has_database_privilege(rolname, current_database(), 'TEMPORARY'),"
            " has_schema_privilege(rolname, 'public', 'CREATE')"
            " FROM pg_roles WHERE rolname = %s",
            [settings.DATABASES[READER]["USER"]],
        )
        assert cursor.fetchone() == (False, 0, False, False)
