"""The admin: permissions and pages."""

import html
import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from flights import versions
from flights.models import TableVersion
from flights.tables import NAMES, TABLES, by_name
from tests.platform import COLUMNS, Platform, until
from transfers import run_log, services
from transfers.models import Transfer, WarehouseJob
from transfers.run import runner

DAYS = by_name("delays_by_day")
INGEST = "/admin/transfers/warehousejob/ingest/"
_numbers = itertools.count()

VIEWED = [
    *(f"/admin/flights/{model._meta.model_name}/" for model in TABLES),
    "/admin/flights/tableversion/",
    "/admin/transfers/transfer/",
    "/admin/transfers/warehousejob/",
    "/admin/transfers/downloadedmonth/",
    "/admin/transfers/alert/",
    "/admin/flights/export/",
    "/admin/django_celery_beat/periodictask/",
    "/admin/django_celery_beat/periodictask/housekeeping/",
]
OPERATED = [
    "/admin/transfers/transfer/start/",
    "/admin/transfers/transfer/{transfer}/retry/",
    "/admin/transfers/transfer/{transfer}/cancel/",
    "/admin/transfers/warehousejob/ingest/",
    "/admin/transfers/warehousejob/build/",
    "/admin/flights/tableversion/{version}/roll-back/",
    "/admin/django_celery_beat/periodictask/add/",
]
MANAGED = [
    *("/admin/auth/user/add/", "/admin/auth/group/", "/admin/authtoken/tokenproxy/add/"),
    *("/admin/flights/apikey/", "/admin/flights/apikey/add/"),
    "/admin/transfers/transfer/{transfer}/publish-anyway/",
]
NOBODYS = [
    *(f"/admin/flights/{model._meta.model_name}/add/" for model in TABLES),
    "/admin/flights/tableversion/add/",
    "/admin/flights/tableversion/{version}/delete/",
    "/admin/transfers/transfer/add/",
    "/admin/transfers/transfer/{transfer}/delete/",
    "/admin/transfers/warehousejob/add/",
    "/admin/transfers/downloadedmonth/add/",
    "/admin/transfers/alert/add/",
    "/admin/flights/export/add/",
]


def somebody(group: str = "", *, is_superuser: bool = False) -> User:
    name = f"somebody{next(_numbers)}"
    user = User.objects.create_user(name, is_staff=True, is_superuser=is_superuser)
    if group:
        user.groups.set(Group.objects.filter(name=group))
    return user


def client(group: str) -> Client:
    client = Client()
    client.force_login(somebody(group))
    return client


@pytest.fixture
def keys(demo: Platform) -> dict[str, int]:
    """The keys of an existing transfer and version."""
    return {
        "transfer": Transfer.objects.earliest("pk").pk,
        "version": TableVersion.objects.earliest("pk").pk,
    }


@pytest.fixture(scope="module")
def worker(demo: Platform) -> Iterator[None]:
    with demo.running("worker"):
        yield


@pytest.mark.parametrize(
    ("group", "may"),
    [
        ("", []),
        ("viewer", VIEWED),
        ("operator", VIEWED + OPERATED),
        ("administrator", VIEWED + OPERATED + MANAGED),
    ],
)
def test_a_group_may_do_what_it_is_for_and_no_more(
    keys: dict[str, int], group: str, may: list[str]
) -> None:
    browser = client(group)
    for path in VIEWED + OPERATED + MANAGED + NOBODYS:
        expected = 200 if path in may else 403
        address = path.format(**keys)
        assert browser.get(address).status_code == expected, address
        if path not in may:
            assert browser.post(address, {"post": "yes"}).status_code == 403, address


def test_anonymous_users_are_redirected_to_the_login(demo: Platform, keys: dict[str, int]) -> None:
    for path in ["/admin/", *VIEWED, *OPERATED, *MANAGED]:
        response = Client().get(path.format(**keys))
        assert response.status_code == 302, path
        assert "/admin/login/" in response.headers["Location"]


def test_an_administrator_cannot_create_or_take_over_a_superuser(demo: Platform) -> None:
    browser, boss = client("administrator"), somebody(is_superuser=True)
    assert browser.post(f"/admin/auth/user/{boss.pk}/password/", {}).status_code == 403
    page = browser.get(f"/admin/auth/user/{somebody().pk}/change/").content.decode()
    assert 'name="is_active"' in page
    assert 'name="is_superuser"' not in page


def test_a_big_table_is_browsed_searched_and_filtered_without_counting_it(demo: Platform) -> None:
    browser = client("viewer")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        first = browser.get("/admin/flights/flightdelaydata/").content.decode()
        matches = browser.get("/admin/flights/flightdelaydata/?q=Honolulu").content.decode()
        late = browser.get(
            "/admin/flights/flightdelaydata/?arrival_delay_minutes_from=1200&p=1"
        ).content.decode()
        browser.get("/admin/flights/flightdelaydata/?p=3000")
    assert not [
        q["sql"] for q in queries if "COUNT(" in q["sql"] and "flight_delay_data" in q["sql"]
    ]
    assert "AirTran" in first
    assert "Honolulu, HI" in matches
    assert "AirTran" not in matches
    assert "1,272" in late or "1272" in late
    assert "AirTran" not in late


def test_the_dashboard_shows_every_table_and_part_and_the_last_week(
    demo: Platform, worker: None
) -> None:
    # Of one day each, also at midnight.
    made = [
        Transfer.objects.create(table=table, status=status, asked_by="test")
        for table in ("airports", DAYS._meta.db_table)
        for status in ("failed", "succeeded")
    ]
    services.roll_back(DAYS, versions.current(DAYS).number, by="test")
    with CaptureQueriesContext(connection) as queries:
        page = client("viewer").get("/admin/").content.decode()
    assert len(queries) < 50
    for transfer in made:
        transfer.delete()
    assert "336,776" in page
    assert re.search(r"href=\"[^\"]+table=airports[^\"]+\">[^≠]*?1 failed, \d+ published", page)
    assert re.search(r"[1-9]\d* rolled back, [^<]*published", page)
    for word in (*NAMES, "warehouse: up", "postgresql: up", "valkey: up", "worker: "):
        assert word in page, word


def test_a_table_is_transferred_watched_and_rolled_back(demo: Platform, worker: None) -> None:
    browser, before = client("operator"), versions.current(DAYS)
    form = {"tables": ["delays_by_day"], "forced": "on"}
    page = browser.post("/admin/transfers/transfer/start/", form, follow=True)
    assert "1 transfers are queued" in page.content.decode()
    transfer = Transfer.objects.latest("pk")
    address = f"/admin/transfers/transfer/{transfer.pk}/change/"
    until(lambda: "data-active" not in browser.get(address).content.decode())
    detail = browser.get(address).content.decode()
    assert "7 rows" in detail
    assert f"{transfer.pk}/retry/" in detail
    assert f"{transfer.pk}/cancel/" not in detail
    assert versions.current(DAYS).number == before.number + 1

    assert "Total_Flights sum" in detail
    assert "336776" in detail
    lines = [line.rpartition(" UTC ")[2] for line in run_log.text_of(transfer).splitlines()]
    assert lines[:3] == ["reading", "copying", "copied 7 rows"]
    assert all(line in detail for line in lines)
    assert f"published delays_by_day/{before.number + 1}" in detail
    assert re.search(r"\d+ \w{3} \d{4}, \d\d:\d\d UTC</span>", detail)
    address = f"/admin/flights/tableversion/{before.pk}/roll-back/"
    assert f"{before.number + 1}" in browser.get(address).content.decode()
    browser.post(address)
    assert versions.current(DAYS) == before
    roll_back = Transfer.objects.latest("pk")
    assert roll_back.mode == Transfer.Mode.ROLLBACK
    detail = browser.get(f"/admin/transfers/transfer/{roll_back.pk}/change/").content.decode()
    assert "rolled back" in detail
    assert f"{before} is current again" in detail
    assert "/retry/" not in detail
    refused = browser.post(f"/admin/transfers/transfer/{roll_back.pk}/retry/")
    assert "was a roll-back" in refused.content.decode()
    again = browser.post(address)
    assert again.status_code == 400
    assert "is already current" in again.content.decode()
    services.roll_back(DAYS, before.number + 1, by="test")


def test_a_failed_transfer_shows_why_escaped_and_is_retried(demo: Platform, worker: None) -> None:
    failed = Transfer.objects.create(
        table="delays_by_day", status="failed", asked_by="<b>me</b>", error="<script>x</script>"
    )
    browser = client("operator")
    page = browser.get("/admin/transfers/transfer/").content.decode()
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "<script>x" not in page
    browser.post(f"/admin/transfers/transfer/{failed.pk}/retry/")
    retried = Transfer.objects.latest("pk")
    until(lambda: Transfer.objects.get(pk=retried.pk).status == "succeeded")
    response = browser.post(f"/admin/transfers/transfer/{retried.pk}/cancel/")
    assert "already ended" in html.unescape(response.content.decode())


def test_a_queued_transfer_names_what_it_waits_for_and_can_be_cancelled(demo: Platform) -> None:
    ahead = Transfer.objects.create(
        table="delays_by_day", status="running", asked_by="somebody", heartbeat_at="2100-01-01T00Z"
    )
    (waiting,) = services.queue([DAYS], "test")
    browser = client("operator")
    page = browser.get(f"/admin/transfers/transfer/{waiting.pk}/change/").content.decode()
    assert f"waits behind transfer {ahead.pk} of delays_by_day" in page
    assert f"{waiting.pk}/cancel/" in page
    assert f"{waiting.pk}/retry/" not in page
    browser.post(f"/admin/transfers/transfer/{waiting.pk}/cancel/")
    browser.post(f"/admin/transfers/transfer/{ahead.pk}/cancel/")
    assert set(Transfer.objects.filter(pk__in=[ahead.pk, waiting.pk]).values_list("status")) == {
        ("cancelled",)
    }
    runner.run([waiting])
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"


def upload_token(page: Any) -> str:
    """What a page that waits for confirmation knows an uploaded file by."""
    token = re.search(r'name="upload" value="([^"]+)"', page.content.decode())
    assert token, page.content.decode()
    return token[1]


def test_a_file_is_ingested_whole_or_refused_with_its_line(demo: Platform, worker: None) -> None:
    browser = client("operator")

    def upload(name: str, text: str) -> WarehouseJob:
        file = SimpleUploadedFile(name, f"{COLUMNS}\n{text}\n".encode())
        response = browser.post(INGEST, {"file": file})
        assert response.status_code == 200, response.content.decode()
        response = browser.post(INGEST, {"upload": upload_token(response), "kind": "append"})
        assert response.status_code == 302, response.content.decode()
        job = WarehouseJob.objects.latest("pk")
        until(lambda: WarehouseJob.objects.get(pk=job.pk).finished_at)
        return WarehouseJob.objects.get(pk=job.pk)

    wrong = upload("odd ü.csv", "2013-13-01,A,X,Y,1,2")
    assert wrong.status == "failed"
    assert re.match(r"\S*odd_ü.csv|odd ü.csv, line 2, column Flight Date", wrong.error), wrong.error
    assert not wrong.file
    browser.post("/admin/transfers/warehousejob/build/")
    job = WarehouseJob.objects.latest("pk")
    until(lambda: WarehouseJob.objects.get(pk=job.pk).finished_at)
    assert "up to date" in WarehouseJob.objects.get(pk=job.pk).outcome


@pytest.mark.parametrize("name", ["records.exe", "records.csv.exe"])
def test_a_file_of_another_kind_is_refused_at_once(demo: Platform, name: str) -> None:
    form = {"file": SimpleUploadedFile(name, b"x"), "kind": "append"}
    response = client("operator").post("/admin/transfers/warehousejob/ingest/", form)
    assert response.status_code == 400
    assert "no suffix of a CSV or Parquet file" in response.content.decode()
