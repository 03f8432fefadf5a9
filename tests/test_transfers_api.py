"""`/api/transfers/`: list, start, watch and cancel."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.platform import Platform, Response, Site, until
from tests.tokens import authorization, member
from transfers.models import Transfer

ALL = "/api/transfers/"


@pytest.fixture(scope="module")
def live(demo: Platform) -> Iterator[Site]:
    with demo.running("worker"), demo.site(processes=1) as site:
        yield site


def key(group: str) -> str:
    return authorization(member(group))


def post(site: Site, body: object, **headers: str) -> Response:
    all_headers = {"Content_Type": "application/json", "Authorization": key("operator"), **headers}
    return site.request("POST", ALL, json.dumps(body).encode(), **all_headers)


def test_a_transfer_is_started_once_watched_and_listed(live: Site) -> None:
    body = {"tables": ["delays_by_day"], "force": True}
    started = post(live, body, Idempotency_Key="monday")
    assert started.status == 202
    (transfer,) = started.json()
    address = f"{ALL}{transfer['id']}/"
    ended = live.get(f"{address}?wait=30", Authorization=key("viewer")).json()
    assert (ended["status"], ended["rows_done"]) == ("succeeded", 7)
    assert ended["version"].startswith("delays_by_day/")
    assert ended["asked_by"] == "operator of the tests"
    assert ended["bytes_per_second"] > ended["rows_per_second"] > 0
    again = post(live, body, Idempotency_Key="monday").json()
    assert [t["id"] for t in again] == [transfer["id"]]
    # A transfer that has succeeded still prunes old versions, which adds to its seconds.
    until(lambda: _newest(live) == live.get(address, Authorization=key("viewer")).json())
    older = live.get(f"{ALL}?before={ended['id']}", Authorization=key("viewer")).json()["results"]
    assert all(t["id"] < ended["id"] for t in older)
    assert "claim" not in ended


def test_each_of_several_requests_for_a_waiting_transfer_returns_it_when_repeated(
    live: Site,
) -> None:
    one, two = ["airports"], ["airports", "airlines"]
    alive = {"status": "running", "heartbeat_at": "2100-01-01T00Z", "asked_by": "test"}
    ahead = [Transfer.objects.create(table=table, claim=uuid.uuid4(), **alive) for table in two]
    requests = {"tuesday": one, "wednesday": one, "thursday": two}
    first = [_ids(live, tables, name) for name, tables in requests.items()]
    assert first[0] == first[1] == first[2][:1]
    assert len(first[2]) == 2
    for pk in [*first[2], *(transfer.pk for transfer in ahead)]:
        live.request("DELETE", f"{ALL}{pk}/", None, Authorization=key("operator"))
    assert [_ids(live, tables, name) for name, tables in requests.items()] == first


def _ids(site: Site, names: list[str], request_key: str) -> list[int]:
    response = post(site, {"tables": names}, Idempotency_Key=request_key)
    return [transfer["id"] for transfer in response.json()]


def _newest(live: Site) -> Any:
    """The first transfer of the list."""
    page = live.get(f"{ALL}?table=delays_by_day", Authorization=key("viewer")).json()
    return page["results"][0]


def test_a_transfer_is_cancelled_once(live: Site) -> None:
    waiting = Transfer.objects.create(table="airline_performance", asked_by="test")
    address = f"{ALL}{waiting.pk}/"
    assert live.request("DELETE", address, None, Authorization=key("viewer")).status == 403
    cancelled = live.request("DELETE", address, None, Authorization=key("operator"))
    assert (cancelled.status, cancelled.json()["status"]) == (200, "cancelled")
    again = live.request("DELETE", address, None, Authorization=key("operator"))
    assert again.status == 409
    assert "has ended already" in again.json()["detail"]


def test_anonymous_clients_and_viewers_cannot_start_transfers(live: Site) -> None:
    before = Transfer.objects.count()
    assert live.get(ALL).status == 401
    assert post(live, {}, Authorization="").status == 401
    assert post(live, {}, Authorization=key("viewer")).status == 403
    assert live.get(f"{ALL}99999999/", Authorization=key("viewer")).status == 404
    assert Transfer.objects.count() == before


@pytest.mark.parametrize(
    "body", [[], "x", {"tables": "delays_by_day"}, {"tables": ["pg_shadow"]}, {"force": "yes"}]
)
def test_an_invalid_request_is_refused_with_the_allowed_values(live: Site, body: object) -> None:
    response = post(live, body)
    assert response.status == 400
    assert "delays_by_day" in response.json()["allowed"]


def test_a_preview_shows_changes_and_quality_checks_and_transfers_nothing(live: Site) -> None:
    def ask(body: object, group: str = "operator") -> Response:
        headers = {"Content_Type": "application/json", "Authorization": key(group)}
        return live.request("POST", f"{ALL}previews/", json.dumps(body).encode(), **headers)

    before = Transfer.objects.count()
    assert ask({"tables": ["delays_by_day"]}, "viewer").status == 403
    assert ask({"tables": ["nope"]}).status == 400
    assert ask({"force": True}).status == 400
    started = ask({"tables": ["delays_by_day"]})
    assert (started.status, started.json()["tables"]) == (202, [])
    address = f"{ALL}previews/{started.json()['id']}/?wait=30"
    ended = live.get(address, Authorization=key("viewer")).json()
    assert (ended["status"], ended["error"]) == ("succeeded", "")
    (table,) = ended["tables"]
    assert table["rows"] == {"added": 0, "removed": 0, "changed": 0, "examples": []}
    assert [check["status"] for check in table["checks"]] == ["passed"] * len(table["checks"])
    assert "sum of Total_Flights = rows of flight_delay_data" in str(table["checks"])
    assert table["is_refused"] is False
    assert live.get(f"{ALL}previews/0/", Authorization=key("viewer")).status == 404
    assert Transfer.objects.count() == before
