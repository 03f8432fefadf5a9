"""`/api/exports/`: files that workers make, available for a while by links that expire."""

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flights.exports import retention
from flights.models import Export, Requester
from tests.platform import Platform, Response, Site
from tests.tokens import authorization, member

ALL = "/api/exports/"
FLIGHTS = "flight_delay_data"
NEWARK = f"Origin_City={quote('Newark, NJ')}&order_by=-Arrival_Delay_Minutes"
GROUPS = (
    "group_by=month:Flight_Date,Origin_City&order_by=-share_Destination_City_Chicago_IL"
    "&aggregate=share:Destination_City:" + quote('"Chicago, IL"') + ",disc90:Arrival_Delay_Minutes"
)
FORMATS = ["csv", "ndjson", "parquet", "arrow", "xlsx"]


@pytest.fixture(scope="module")
def live(demo: Platform) -> Iterator[Site]:
    with demo.running("worker"), demo.site(processes=1) as site:
        yield site
    retention.remove(Export.objects.all())


def key(group: str) -> str:
    return authorization(member(group))


def post(site: Site, body: Any, **headers: str) -> Response:
    all_headers = {"Content_Type": "application/json", "Authorization": key("operator"), **headers}
    return site.request("POST", ALL, json.dumps(body).encode(), **all_headers)


def export_at(site: Site, address: str, wait: int = 30) -> Any:
    response = site.get(f"{address}?wait={wait}", Authorization=key("operator"))
    assert response.status == 200, response.body
    return response.json()


def finished_export(site: Site, query: str, format_: str = "csv", table: str = FLIGHTS) -> Any:
    """Request an export and wait until it is done."""
    response = post(site, {"table": table, "query": query, "format": format_})
    assert response.status in (200, 202), response.body
    export = export_at(site, response.headers["location"])
    assert export["status"] == "done", export
    return export


@pytest.mark.parametrize(
    ("query", "format_"),
    [
        *((GROUPS, format_) for format_ in FORMATS),
        (NEWARK, FORMATS[0]),  # every format of few rows, and one of many
        *(pytest.param(NEWARK, format_, marks=pytest.mark.deep) for format_ in FORMATS[1:]),
    ],
)
def test_an_export_is_the_file_that_would_be_streamed(live: Site, format_: str, query: str) -> None:
    export = finished_export(live, query, format_)
    streamed = live.get(f"/api/{FLIGHTS}/?{query}&format={format_}")
    file = live.get(export["url"])
    assert file.status == 200
    assert len(file.body) == export["bytes"] == int(file.headers["content-length"])
    assert file.body == streamed.body
    assert file.headers["content-type"] == streamed.headers["content-type"]
    assert file.headers["content-disposition"] == streamed.headers["content-disposition"]
    assert export["filename"] in file.headers["content-disposition"]
    assert export["digest"] == file.headers["repr-digest"]
    assert Export.objects.get(pk=export["id"]).digest == hashlib.sha256(file.body).hexdigest()
    assert str(export["rows_done"]) == streamed.headers["x-airsense-rows"]
    assert export["version"] == streamed.headers["x-airsense-version"]


def test_a_repeated_request_returns_the_same_export(live: Site) -> None:
    body = {"table": FLIGHTS, "query": "Origin_City=Newark, NJ&limit=7", "format": "csv"}
    first = post(live, body)
    done = export_at(live, first.headers["location"])
    assert (done["status"], done["rows_done"]) == ("done", 7)
    other = post(live, {**body, "query": "?limit=7&Origin_City=Newark%2C+NJ"})
    assert (other.status, other.json()["id"]) == (200, done["id"])
    assert other.json()["expires_at"] > done["expires_at"]  # kept for the whole time again
    assert finished_export(live, body["query"], "ndjson")["id"] != done["id"]
    listed = live.get(ALL, Authorization=key("operator")).json()
    assert done["id"] in [export["id"] for export in listed["results"]]
    assert listed["limits"]["kept_hours"] == 24


def test_anonymous_clients_and_viewers_cannot_export(live: Site) -> None:
    body = {"table": FLIGHTS, "query": "limit=8", "format": "csv"}
    before = Export.objects.count()
    assert post(live, body, Authorization="").status == 401
    assert post(live, body, Authorization=key("viewer")).status == 403
    assert live.get(ALL).status == 401
    export = finished_export(live, "limit=9")
    address = f"{ALL}{export['id']}"
    assert live.get(address).status == 401
    assert live.get(address, Authorization=key("viewer")).status == 403
    assert live.get(f"{ALL}{uuid.uuid4()}", Authorization=key("operator")).status == 404
    assert Export.objects.count() == before + 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "Give {"),
        ({}, "Give {"),
        ({"table": "delays_by_day", "query": {"limit": "5"}, "format": "csv"}, "Give {"),
        ({"table": "pg_shadow", "format": "csv"}, "There is no table 'pg_shadow'."),
        ({"table": "delays_by_day", "format": "pdf"}, "There is no format 'pdf'."),
        ({"table": "delays_by_day", "query": "Nope=1", "format": "csv"}, "Nope"),
        ({"table": "delays_by_day", "query": "limit=x", "format": "csv"}, "whole number"),
        ({"table": "delays_by_day", "query": "limit=1&limit=2", "format": "csv"}, "2 times"),
        ({"table": "delays_by_day", "query": "Total_Flights__gt=x", "format": "csv"}, "number"),
        ({"table": "delays_by_day", "query": "cursor=", "format": "csv"}, "cursor has no effect"),
        ({"table": "delays_by_day", "query": "format=csv", "format": "csv"}, "format has"),
        ({"table": "delays_by_day", "query": "\ud800=1", "format": "csv"}, "The body is not JSON"),
        ({"table": "delays_by_day", "query": "columns=\0", "format": "csv"}, "no column"),
        ({"table": "delays_by_day", "query": "x" * 9_000, "format": "csv"}, "9,000 characters"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(live: Site, body: Any, says: str) -> None:
    response = post(live, body)
    assert response.status == 400, response.body
    assert says in response.json()["detail"]


def test_a_user_with_too_many_exports_is_refused(live: Site) -> None:
    waiting = active(settings.EXPORTS_WAITING, user="operator of the tests")
    refused = post(live, {"table": FLIGHTS, "query": "limit=100", "format": "csv"})
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    same = post(live, {"table": FLIGHTS, "query": "limit=101", "format": "csv"})
    assert (same.status, same.json()["status"]) == (202, "queued")
    retention.remove(waiting)


def test_a_link_cannot_be_altered_and_expires(live: Site) -> None:
    export = finished_export(live, "limit=11")
    record = Export.objects.get(pk=export["id"])
    address = export["url"]
    other = finished_export(live, "limit=12")["id"]
    for wrong in (
        address[:-1] + ("A" if address[-1] != "A" else "B"),
        address.replace("expires=1", "expires=2"),
        address.replace(export["id"], other),
        address.partition("?")[0],
    ):
        refused = live.get(wrong)
        assert (refused.status, refused.headers["content-type"]) == (
            403,
            "application/problem+json",
        )
    late = retention.STORAGE.link(record, timezone.now() - timedelta(seconds=2))
    assert live.get(late).status == 410
    assert live.get(address, Accept="text/csv").status == 200
    retention.STORAGE.delete(record.stored)
    gone = live.get(address)
    assert (gone.status, gone.json()["detail"]) == (
        *(410,),
        "The file was removed. Request the export again.",
    )
    assert finished_export(live, "limit=11")["id"] != export["id"]


def test_a_download_runs_one_query(live: Site) -> None:
    address = finished_export(live, "limit=13")["url"]
    with CaptureQueriesContext(connection) as queries:
        response = Client().get(address)
        assert response.status_code == 200
        response.close()
    assert len(queries) == 1


def test_an_interrupted_download_continues(live: Site) -> None:
    export = finished_export(live, NEWARK)
    whole = live.get(export["url"])
    part = live.get(export["url"], Range="bytes=1000-")
    assert (part.status, part.body) == (206, whole.body[1000:])
    size = export["bytes"]
    assert part.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    few = live.get(export["url"], Range="bytes=5-9", If_Range=whole.headers["etag"])
    assert few.body == whole.body[5:10]
    for ignored in ({"Range": "bytes=9-5"}, {"Range": "bytes=5-9", "If_Range": '"other"'}):
        assert live.get(export["url"], **ignored).body == whole.body


def test_a_file_is_removed_when_it_has_expired_and_forgotten_later(live: Site) -> None:
    export = finished_export(live, "limit=13")
    row = Export.objects.filter(pk=export["id"])
    stored = row.get().stored
    row.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert export_at(live, f"{ALL}{export['id']}")["status"] == "expired"
    retention.sweep()
    assert not retention.STORAGE.exists(stored)
    assert row.get().status == "expired"
    assert live.get(export["url"]).status == 410
    assert finished_export(live, "limit=13")["id"] != export["id"]
    row.update(expires_at=timezone.now() - timedelta(hours=settings.EXPORTS_KEPT_HOURS + 1))
    retention.sweep()
    assert not row.exists()


def test_an_export_without_a_worker_is_not_reported_as_running(live: Site) -> None:
    export = Export.objects.create(
        **{"table": FLIGHTS, "number": 1, "query": "limit=16", "format": "csv"},
        status="running",
        attempts=1,
        heartbeat_at=timezone.now() - timedelta(seconds=settings.EXPORT_LOST_AFTER + 1),
    )
    assert export_at(live, f"{ALL}{export.pk}", wait=0)["status"] == "queued"
    assert retention.sweep()  # the export has to be made again
    export.refresh_from_db()
    assert (export.status, export.error) == ("queued", "The worker stopped unexpectedly.")
    export.delete()


def test_files_without_an_export_are_removed(live: Site) -> None:
    owned = Export.objects.get(pk=finished_export(live, "limit=14")["id"]).stored
    fresh, orphan = f"{uuid.uuid4()}.csv", f"{uuid.uuid4()}.csv"
    for name in (fresh, orphan):
        retention.STORAGE.save(name, ContentFile(b"half"))
    hours_ago = time.time() - 2 * 3600
    for name in (owned, orphan):
        os.utime(retention.STORAGE.path(name), (hours_ago, hours_ago))
    assert retention.remove_orphans() >= 1
    assert [retention.STORAGE.exists(name) for name in (owned, fresh, orphan)] == [
        True,
        True,
        False,
    ]
    retention.STORAGE.delete(fresh)


def test_operators_see_and_delete_exports_in_the_admin(live: Site) -> None:
    export = Export.objects.get(pk=finished_export(live, "limit=15")["id"])
    listed = "/admin/flights/export/"
    viewer, operator = browser("viewer"), browser("operator")
    page = operator.get(listed).content.decode()
    assert f"{ALL}{export.pk}/file?expires=" in page
    assert operator.get(f"{listed}{export.pk}/change/").status_code == 200
    delete = {"action": "delete_selected", "_selected_action": [str(export.pk)], "post": "yes"}
    viewer.post(listed, delete)
    assert Export.objects.filter(pk=export.pk).exists()
    assert operator.post(listed, delete).status_code == 302
    assert not Export.objects.filter(pk=export.pk).exists()
    assert not retention.STORAGE.exists(export.stored)


def active(count: int, **who: Any) -> list[Export]:
    """Queued exports of a user or key."""
    later = timezone.now() + timedelta(hours=1)
    existing = []
    for n in range(101, 101 + count):
        facts = {"table": FLIGHTS, "number": 1, "query": f"limit={n}", "format": "csv"}
        existing.append(Export.objects.create(**facts, due_at=later))
        Requester.objects.create(export=existing[-1], **who)
    return existing


def browser(group: str) -> Client:
    client = Client()
    client.force_login(member(group))
    return client
