"""`manage.py setup` on a server that is not prepared for it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.fault_probes import waiting
from tests.platform import Platform, until
from tests.servers import POSTGRESQL, drop, execute, own_environment


@pytest.fixture
def unprepared() -> Platform:
    """A platform whose database does not exist, and whose reader is another, missing role."""
    env = own_environment()
    drop(database(env))
    return Platform(env | {"READER_URL": reader_url(env), "ADMIN_PASSWORD": "chosen by a person"})


def database(env: dict[str, str]) -> str:
    return urlsplit(env["DATABASE_URL"]).path.strip("/")


def reader_url(env: dict[str, str]) -> str:
    """The same server by a role of its own, as a replica would be reached."""
    parts = urlsplit(env["DATABASE_URL"])
    role = f"{database(env)}_reader:its-password"  # tests.servers drops this role
    return urlunsplit(parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}"))


def test_setup_creates_the_database_the_reader_of_its_url_and_the_administrator(
    unprepared: Platform,
) -> None:
    assert "password in ADMIN_PASSWORD" in unprepared.manage("setup")
    assert "created user" not in unprepared.manage("setup")
    with psycopg.connect(unprepared.env["DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        )
        assert row.fetchone() == ("b", "C.UTF-8")
    check = "User.objects.get().check_password('chosen by a person')"
    code = f"from django.contrib.auth.models import User; print({check})"
    assert unprepared.python(code).strip() == "True"
    with psycopg.connect(unprepared.env["READER_URL"]) as reader:
        assert reader.execute("SELECT count(*) FROM flights_publishedtable").fetchone() == (0,)


def test_setup_leaves_the_password_of_a_reader_that_exists(unprepared: Platform) -> None:
    role = f"{database(unprepared.env)}_reader"
    execute("CREATE ROLE {} LOGIN PASSWORD 'of-the-operator'", role)
    before = password(role)
    unprepared.manage("setup")
    assert password(role) == before


PUBLISH = """
from django.db import connection, transaction
from flights.tables import by_name
from transfers.load import publication
with transaction.atomic():
    publication.roll_back(by_name("delays_by_day"))
    connection.cursor().execute("SELECT pg_advisory_lock(1)")
"""


def test_setup_waits_for_a_version_that_is_published_meanwhile(fresh: Platform) -> None:
    fresh.ingest("2013-01-07,Alpha,A,B,10,20")
    fresh.manage("transfer", "delays_by_day")
    fresh.ingest("2013-01-08,Alpha,A,B,10,20", "--append")
    fresh.manage("transfer", "delays_by_day")
    with (
        psycopg.connect(fresh.env["DATABASE_URL"], autocommit=True) as database,
        ThreadPoolExecutor() as others,
    ):
        database.execute("SELECT pg_advisory_lock(1)")
        publisher = others.submit(fresh.python, PUBLISH)
        until(lambda: waiting(fresh) == 1)
        setup = others.submit(fresh.attempt, "setup")
        until(lambda: waiting(fresh) == 2 or setup.done())
        database.execute("SELECT pg_advisory_unlock(1)")
        publisher.result()
        assert setup.result().returncode == 0, setup.result().stderr
        assert database.execute("SELECT count(*) FROM delays_by_day").fetchone() == (1,)


def test_the_databases_of_the_tests_begin_as_setup_leaves_a_database(fresh: Platform) -> None:
    before = grants(fresh)
    fresh.manage("setup")
    assert before == grants(fresh)
    assert ("flights_tableversion", None, "SELECT") in before


def grants(platform: Platform) -> set[tuple[Any, ...]]:
    """What the reader may do: relation, column, privilege; and every grant on the database."""
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        of_relations = connection.execute(
            "SELECT c.relname, a.attname, p.privilege_type FROM pg_class c"
            " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL,"
            " aclexplode(coalesce(a.attacl, c.relacl)) p"
            " WHERE p.grantee = (current_database() || '_reader')::regrole"
        ).fetchall()
        of_database = connection.execute(
            "SELECT datname, p.grantee::text, p.privilege_type"
            " FROM pg_database, aclexplode(datacl) p WHERE datname = current_database()"
        ).fetchall()
    return {*of_relations, *of_database}


def password(role: str) -> str:
    with psycopg.connect(POSTGRESQL) as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role])
        return str(row.fetchone())
