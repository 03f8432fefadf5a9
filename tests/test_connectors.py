"""The page of the connectors: everybody reads it, and users with the permission start transfers."""

import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import assert_accessible, opened
from tests.own_postgresql import own_postgresql, platform_of
from tests.platform import Platform, Site
from tests.platforms import own_platform
from tests.samples import Sample
from tests.warehouse.running import running as databricks

USER = """
from django.contrib.auth.models import Permission, User
from rest_framework.authtoken.models import Token
user = User.objects.create_user("{0}")
user.user_permissions.set(Permission.objects.filter(codename="{1}"))
print(Token.objects.create(user=user).key)
"""
VIEWER, CLERK = USER.format("viewer", "view_transfer"), USER.format("clerk", "view_alert")
USERS = """
from django.contrib.auth.models import User
User.objects.create_superuser("boss", password="of the browser")
User.objects.create_user("clerk", password="of the browser", is_staff=True)
from transfers.models import Transfer
Transfer.objects.create(table="airlines", status="failed", asked_by="schedule: secret plan",
    error="SELECT token FROM db.example.org", advice="ask bob@example.org",
    source_version="hidden 7", notes=["a note of db.example.org"],
    checks=[{"check": "a check", "status": "failed"}])
"""
HIDDEN = ("boss", "secret", "SELECT", "example.org", "hidden 7", "note", "csrfmiddlewaretoken")


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    with own_platform() as own:
        own.ingest("2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2")
        own.manage("transfer", "delays_by_day", "airlines")
        own.python(USERS)
        yield own


@pytest.fixture(scope="module")
def running(own: Platform) -> Iterator[Site]:
    with own.running("worker"), own.site(1) as site:
        yield site


def log_in(page: Page, user: str) -> None:
    page.goto("/connectors")
    page.get_by_role("link", name="Log in").click()
    page.locator("#id_username").fill(user)
    page.locator("#id_password").fill("of the browser")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/connectors")


def test_everybody_sees_the_lights_and_the_transfers_but_nothing_else(running: Site) -> None:
    page = running.get("/connectors")
    body = page.body.decode()
    assert page.status == 200
    assert "no-store" in page.headers["cache-control"]
    assert re.findall(r'<li class="(up|down)">', body) == ["up", "up"]
    rows = [re.sub(r"<[^>]*>|\s+", " ", row) for row in re.findall(r"<tr.*?</tr>", body, re.S)]
    assert re.search(r"airlines +#3 +failed", rows[1])
    (days,) = (row for row in rows if "delays_by_day" in row)
    assert re.search(r"delays_by_day +#\d +succeeded +2 +[\d,]+ +\d+\.\d +\d+ \w{3} \d{4}", days)
    for word in HIDDEN:
        assert word not in body, word
    assert "SELECT" not in running.get("/connectors?table=airlines&before=4").body.decode()


@pytest.mark.parametrize(
    ("query", "status"), [("table=nothing", 404), ("before=x", 400), (f"before={10**30}", 200)]
)
def test_a_wrong_address_is_refused(running: Site, query: str, status: int) -> None:
    assert running.get(f"/connectors?{query}").status == status


def test_nobody_starts_a_transfer_without_the_permission(running: Site) -> None:
    response = running.request("POST", "/connectors", b"table=delays_by_day")
    assert response.status == 403
    assert "#4" not in running.get("/connectors").body.decode()


def test_the_form_is_accessible_in_every_look(
    browser: Browser, running: Site, sample: Sample
) -> None:
    with opened(browser, running.url) as page:
        log_in(page, "boss")
        assert_accessible(page, sample)


def test_a_user_logs_in_starts_a_transfer_and_sees_its_end(browser: Browser, running: Site) -> None:
    with opened(browser, running.url) as page:
        log_in(page, "boss")
        page.locator("[name=table]").select_option("delays_by_day")
        page.get_by_label("Even if nothing has changed").check()
        page.get_by_role("button", name="Transfer", exact=True).click()
        expect(page.get_by_text("A transfer of delays_by_day is queued.")).to_be_visible()
        address = page.url
        first = page.locator("#live tbody tr").first
        expect(first).to_contain_text("#4")
        expect(first).to_contain_text("succeeded", timeout=30_000)
        assert page.url == address  # the same page, not loaded again
        page.get_by_role("link", name="delays_by_day").first.click()
        expect(page.locator("#live tbody tr")).to_have_count(2)


@pytest.mark.deep  # every day: with it
def test_a_transfer_is_started_without_javascript(browser: Browser, running: Site) -> None:
    with opened(browser, running.url) as page:
        log_in(page, "boss")  # the admin's page for this needs JavaScript
        session = page.context.storage_state()
    options = {"java_script_enabled": False, "storage_state": session}
    with opened(browser, running.url, **options) as page:
        page.goto("/connectors")
        page.locator("[name=table]").select_option("delays_by_day")
        page.get_by_role("button", name="Transfer", exact=True).click()
        expect(page.locator("#live tbody tr").first).to_contain_text("delays_by_day")
        expect(page.get_by_label("Update this page automatically")).to_be_hidden()


@pytest.mark.deep  # every day: the server refuses it
def test_a_user_without_the_permission_gets_no_form(browser: Browser, running: Site) -> None:
    with opened(browser, running.url) as page:
        log_in(page, "clerk")
        expect(page.get_by_text("You may not start transfers")).to_be_visible()
        expect(page.get_by_role("button", name="Transfer", exact=True)).to_have_count(0)


def test_a_warehouse_that_is_down_has_a_red_light(fresh: Platform) -> None:
    fresh.warehouse.mkdir()
    (fresh.warehouse / "warehouse.duckdb").write_text("no database")
    with fresh.site(processes=1) as site:
        body = site.get("/connectors").body.decode()
    assert re.findall(r'<li class="(up|down)">', body) == ["down", "up"]
    assert "No table has been transferred yet." in body
    assert "duckdb" not in body


def test_a_visitor_never_wakes_a_paid_warehouse(tmp_path: Path) -> None:
    with (
        databricks(tmp_path) as warehouse,
        own_platform(**warehouse.env) as own,
        own.site(1) as site,
    ):
        viewer = {"Authorization": f"Token {own.python(VIEWER).strip()}"}
        clerk = {"Authorization": f"Token {own.python(CLERK).strip()}"}
        wrong = {"Authorization": "Token wrong"}
        for visitor in ({}, {"Cookie": "sessionid=wrong"}, clerk, wrong):
            body = site.get("/connectors", **visitor).body.decode()
            assert re.findall(r'<li class="(\w+)">', body) == ["unknown", "up"]
            response = site.get("/dbstatus", **visitor)
            assert (response.status, response.json()["status"]) == (503, "unknown")
            assert response.json()["Databricks is connected"] is False
        for path in ("/status", "/api/status", "/readyz", "/connector", "/rdsstatus"):
            site.get(path)
        assert warehouse.log()["calls"] == []

        assert site.get("/dbstatus", **viewer).json()["status"] == "connected"
        opened_before = warehouse.log()["calls"].count("OpenSession")
        assert opened_before
        response = site.get("/dbstatus")
        assert response.json()["Databricks is connected"] is True
        assert datetime.fromisoformat(response.json()["checked_at"]) <= datetime.now(UTC)
        time.sleep(1.1)  # until the page that is shared for a second is too old
        for headers in ({}, {**viewer, "X-Update": "1"}):
            body = site.get("/connectors", **headers).body.decode()
            assert re.search(r"Databricks</b> <span>responded on <time", body)
        assert warehouse.log()["calls"].count("OpenSession") == opened_before


def test_transfers_update_the_state_that_visitors_see(tmp_path: Path) -> None:
    with (
        databricks(tmp_path) as warehouse,
        own_platform(**warehouse.env) as own,
        own.site(1) as site,
    ):
        own.ingest("2013-01-07,Alpha,X,Y,10,5")
        assert site.get("/dbstatus").json()["status"] == "unknown"
        own.manage("transfer", "delays_by_day")
        assert site.get("/dbstatus").json()["status"] == "connected"
        os.kill(warehouse.process, signal.SIGKILL)
        assert own.attempt("transfer", "delays_by_day").returncode == 1
        response = site.get("/dbstatus")
        assert (response.status, response.json()["status"]) == (503, "unreachable")


@pytest.mark.deep  # tests.hostile.test_stopped_dependencies has it for /status
def test_a_postgresql_that_hangs_does_not_hang_the_page() -> None:
    with own_postgresql() as server, platform_of(server) as own, own.site(1) as site:
        with server.silent(whole=True):
            began = time.monotonic()
            page = site.get("/connectors", Cookie="sessionid=x")
            seconds = time.monotonic() - began
        assert page.status == 200
        assert re.findall(r'<li class="(up|down)">', page.body.decode())[1] == "down"
        assert "The list is in PostgreSQL, which does not respond" in page.body.decode()
        assert seconds < 4
