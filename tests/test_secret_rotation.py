"""SECRET_KEY is replaced without an outage: servers with either key run at once."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.own_postgresql import Server, own_postgresql, platform_of
from tests.platform import Platform, Site

OLD, NEW = "the-old-key-of-this-platform-" * 2, "the-new-key-of-this-platform-" * 2
PASSWORD = "of the administrator"
SUPERUSER = (
    "from django.contrib.auth.models import User;"
    f"User.objects.create_superuser('boss', password={PASSWORD!r})"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL that checks the reader role's password."""
    with own_postgresql() as server:
        rules = server.data / "pg_hba.conf"
        checked = "local own own_reader,own_reader2,airsense2 scram-sha-256"
        rules.write_text(f"{checked}\n{rules.read_text()}")
        server.execute("SELECT pg_reload_conf()")
        yield server


def with_keys(platform: Platform, key: str, fallbacks: str = "") -> Platform:
    keys = {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": fallbacks}
    return Platform({**platform.env, **keys})


def connects(server: Server, site: Site) -> bool:
    """Whether a web server whose connections were closed reads as the reader role again."""
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ~ '^own_reader'"
    )
    return b"has not been transferred" in site.get("/api/delays_by_day/").body


def sign_in(browser: requests.Session, site: Site) -> None:
    page = browser.get(f"{site.url}/admin/login/", timeout=30).text
    token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page)[0]
    form = {"username": "boss", "password": PASSWORD, "csrfmiddlewaretoken": token}
    browser.post(f"{site.url}/admin/login/", form, timeout=30)


def is_signed_in(browser: requests.Session, site: Site) -> bool:
    response = browser.get(f"{site.url}/admin/", allow_redirects=False, timeout=30)
    return response.status_code == 200


@pytest.mark.deep
def test_a_key_is_replaced_while_web_servers_run(server: Server) -> None:
    with platform_of(server) as own, requests.Session() as browser:
        old, both, new = with_keys(own, OLD), with_keys(own, NEW, OLD), with_keys(own, NEW)
        old.manage("setup")
        old.python(SUPERUSER)
        with old.site(1) as first, both.site(1) as second:
            both.manage("setup")
            assert connects(server, first)
            assert connects(server, second)
            sign_in(browser, first)
            assert is_signed_in(browser, second)
            new.manage("setup")
            with new.site(1) as third:
                assert connects(server, second)
                assert connects(server, third)
                assert is_signed_in(browser, third)
                assert not connects(server, first)  # it has only the old key


def test_a_server_that_does_not_answer_is_asked_once(server: Server) -> None:
    """Other passwords are tried only after a wrong password."""
    with platform_of(server) as own:
        both = with_keys(own, NEW, OLD)
        elsewhere = {"READER_URL": "", "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/own"}
        done = Platform({**both.env, **elsewhere}).attempt(
            "shell",
            "--command",
            "from django.db import connections; connections['reader'].connect()",
        )
        assert done.stderr.count("port 1 failed") == 1, done.stderr


@pytest.mark.deep
def test_passwords_of_the_database_are_replaced_by_second_roles(server: Server) -> None:
    with platform_of(server) as own:
        server.execute(
            "CREATE ROLE airsense2 LOGIN PASSWORD 'two' IN ROLE airsense",
            "ALTER ROLE airsense2 SET role airsense",
            "CREATE ROLE own_reader2 LOGIN PASSWORD 'two' IN ROLE own_reader",
        )
        url = own.env["DATABASE_URL"]
        urls = {
            "DATABASE_URL": url.replace("//airsense@", "//airsense2:two@"),
            "READER_URL": url.replace("//airsense@", "//own_reader2:two@"),
        }
        second = Platform({**own.env, **urls})
        with second.site(1) as site:
            assert connects(server, site)
            second.manage("setup")
            server.execute("ALTER ROLE own_reader NOLOGIN")
            assert connects(server, site)
        owner = second.python(
            "from django.db import connection as c; k = c.cursor();"
            "k.execute('SELECT session_user, current_user'); print(*k.fetchone())"
        )
        assert owner.split() == ["airsense2", "airsense"]
