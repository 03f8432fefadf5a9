"""`/status` and `/api/status`: what everybody sees, and what they say when PostgreSQL hangs."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import assert_accessible, opened
from tests.page_visit import visit
from tests.platform import Platform, Site
from tests.platforms import own_platform
from tests.public_pages import LARGEST
from tests.samples import Sample

# A transfer that runs, one that waits, and an old, an ended and a lasting problem.
ROWS = """
from datetime import timedelta
from django.utils import timezone
from transfers.models import Alert, Transfer
now = timezone.now()
Transfer.objects.create(table="airports", status="running", phase="copying", rows_done=250,
    rows_total=1000, started_at=now - timedelta(seconds=100), heartbeat_at=now, asked_by="boss")
Transfer.objects.create(table="airlines", status="queued", asked_by="schedule: secret plan")
def alert(subject, days, ended):
    Alert.objects.create(subject=subject, kind="failed", text="SELECT 1 at db.example.org",
        advice="ask boss", happened_at=now - timedelta(days=days),
        ended_at=now - timedelta(days=days, hours=-1) if ended else None)
alert("performance_by_hour", 9, True); alert("performance_by_month", 3, True)
alert("delays_by_day", 8, False)
"""


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    with own_platform() as own:
        own.ingest("2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2")
        own.manage("transfer", "delays_by_day")
        own.python(ROWS)
        yield own


@pytest.fixture(scope="module")
def running(own: Platform) -> Iterator[Site]:
    with own.site(1) as site:
        yield site


def test_programs_read_tables_work_parts_and_problems(running: Site) -> None:
    response = running.get("/api/status")
    body = response.json()
    assert (response.status, response.headers["cache-control"]) == (200, "no-store")
    tables = {table["table"]: table for table in body["tables"]}
    day = tables["delays_by_day"]
    assert (day["version"], day["rows"], day["stale"], day["fresh_within"]) == (1, 2, False, 86_400)
    assert datetime.fromisoformat(day["published_at"]) <= datetime.fromisoformat(
        day["confirmed_at"]
    )
    assert (tables["airports"]["version"], tables["airports"]["stale"]) == (None, True)
    copying, queued = body["work"]
    assert (copying["what"], copying["phase"], copying["percent"]) == ("airports", "copying", 25)
    assert 280 < copying["seconds_left"] < 600
    assert (queued["what"], queued["status"]) == ("airlines", "queued")
    lasting = {p["subject"]: p["ended_at"] is None for p in body["problems"]}
    assert lasting == {"performance_by_month": False, "delays_by_day": True}
    assert body["status"] == "degraded"
    up = {part["part"]: part["up"] for part in body["parts"]}
    assert up == {"postgresql": True, "valkey": True, "worker": False, "beat": False}
    negotiated = running.get("/status", Accept="application/json").json()
    assert without_estimates(negotiated["work"]) == without_estimates(body["work"])


def without_estimates(work: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The time left grows between two requests, as this transfer copies nothing."""
    return [{name: value for name, value in job.items() if name != "seconds_left"} for job in work]


def test_nobody_reads_users_errors_or_schedules(running: Site) -> None:
    for path in ("/status", "/api/status"):
        body = running.get(path).body.decode()
        assert not re.search("boss|secret|SELECT|example.org", body)


def test_the_status_page_says_the_state_in_words_without_javascript(
    browser: Browser, running: Site
) -> None:
    with opened(browser, running.url, java_script_enabled=False) as page:
        page.goto("/status")
        expect(page.get_by_role("heading", name="Status")).to_be_visible()
        expect(page.get_by_text("A transfer copies airports")).to_contain_text("25 % of the rows")
        expect(page.get_by_text("delays_by_day failed; the version before stayed")).to_contain_text(
            "until now"
        )
        row = page.get_by_role("row", name=re.compile("^delays_by_day"))
        expect(row).to_contain_text("fresh")
        expect(row.locator("time").first).to_have_text(re.compile("ago|now"))


def test_the_page_is_accessible_and_small(browser: Browser, running: Site, sample: Sample) -> None:
    assert visit(browser, f"{running.url}/status").bytes < LARGEST
    with opened(browser, running.url) as page:
        page.goto("/status")
        assert_accessible(page, sample)
