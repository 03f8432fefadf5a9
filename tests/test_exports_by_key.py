"""`/api/exports/` with `X-API-Key`: a key sees only its own exports."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from flights.access import keys
from flights.exports import retention
from flights.models import ApiKey, Export, Requester
from tests.api_keys import log_without_keys
from tests.platform import Platform, Response, Site, until
from tests.tokens import authorization, member

ALL = "/api/exports/"
DAYS = "delays_by_day"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def live(demo: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A worker and two web processes with a low limit per address; checks their log for keys."""
    env = {**demo.env, "THROTTLE_PER_MINUTE": "30", "TRUSTED_PROXIES": "1"}
    with log_without_keys(tmp_path_factory.mktemp("by-key")) as log:
        own = Platform(env, log=log)
        with own.running("worker"), own.site() as site:
            yield site
        retention.remove(Export.objects.all())


def new_key(**facts: Any) -> str:
    """The secret of a new key for exports."""
    return keys.make(ApiKey(**{"name": f"test {next(_numbers)}", "scopes": ["export"], **facts}))


def own() -> str:
    """A query that no other export has."""
    return f"Total_Flights__not={next(_numbers)}"


def elsewhere() -> dict[str, str]:
    """Headers of a client address without failed keys."""
    return {"X_Forwarded_For": f"203.0.113.{next(_numbers)}"}


def post(site: Site, query: str, **who: str) -> Response:
    body = json.dumps({"table": DAYS, "query": query, "format": "csv"}).encode()
    return site.request("POST", ALL, body, Content_Type="application/json", **who)


def ids(site: Site, **who: str) -> list[str]:
    listed = site.get(ALL, **who)
    assert listed.status == 200, listed.body
    return [export["id"] for export in listed.json()["results"]]


def test_a_key_requests_an_export_watches_it_and_downloads_it(live: Site) -> None:
    secret, query = new_key(), own()
    created = post(live, query, X_API_Key=secret)
    assert created.status == 202, created.body
    done = live.get(f"{created.headers['location']}?wait=30", X_API_Key=secret)
    export = done.json()
    assert export["status"] == "done"
    assert done.headers["cache-control"] == "no-store"
    file = live.get(export["url"])  # without the key: the link is the right to it
    assert (file.status, len(file.body)) == (200, export["bytes"])
    assert ids(live, X_API_Key=secret) == [export["id"]]
    again = post(live, f"?{query}", X_API_Key=secret)
    assert (again.status, again.json()["id"]) == (200, export["id"])
    assert len(ids(live, X_API_Key=secret)) == 1
    everything = created.body + done.body + file.body + str(done.headers | file.headers).encode()
    assert secret.encode() not in everything


def test_a_key_sees_no_export_of_another_key_or_of_a_user(live: Site) -> None:
    one, other, person = new_key(), new_key(), authorization(member("operator"))
    of_one = post(live, own(), X_API_Key=one).json()["id"]
    of_person = post(live, own(), Authorization=person).json()["id"]
    assert ids(live, X_API_Key=one) == [of_one]
    assert ids(live, X_API_Key=other) == []
    assert of_person in ids(live, Authorization=person)
    assert of_one not in ids(live, Authorization=person)
    for not_its in (of_one, of_person):
        hidden = live.get(f"{ALL}{not_its}?wait=30", X_API_Key=other)
        assert (hidden.status, hidden.json()["title"]) == (404, "Not Found")


def test_two_identical_requests_share_one_export(live: Site) -> None:
    one, other, query = new_key(), new_key(), own()
    first, second = (post(live, query, X_API_Key=key).json() for key in (one, other))
    assert first["id"] == second["id"]
    assert ids(live, X_API_Key=one) == ids(live, X_API_Key=other) == [first["id"]]
    assert live.get(f"{ALL}{first['id']}?wait=30", X_API_Key=other).json()["status"] == "done"
    prefixes = Requester.objects.filter(export=first["id"]).values_list("key__prefix", flat=True)
    assert list(prefixes) == [one[:16], other[:16]]


def test_concurrent_identical_requests_share_one_export(live: Site) -> None:
    secrets, query = [new_key(), new_key()] * 4, own()
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda secret: post(live, query, X_API_Key=secret), secrets))
    assert {response.status for response in responses} <= {200, 202}
    assert len({response.json()["id"] for response in responses}) == 1
    assert Requester.objects.filter(export=responses[0].json()["id"]).count() == 2


@pytest.mark.parametrize(
    ("facts", "status", "says"),
    [
        ({"scopes": ["query", "search"]}, 403, "is not for export."),
        ({"ends_at": timezone.now() - timedelta(days=1)}, 401, "... expired at"),
        ({"revoked_at": timezone.now()}, 401, "was revoked at"),
    ],
)
def test_a_key_without_permission_is_refused_with_the_reason(
    live: Site, facts: dict[str, Any], status: int, says: str
) -> None:
    before, secret, where = Export.objects.count(), new_key(**facts), elsewhere()
    response = post(live, own(), X_API_Key=secret, **where)
    for refused in (response, live.get(ALL, X_API_Key=secret, **where)):
        assert refused.status == status
        assert refused.headers["content-type"] == "application/problem+json"
        assert says in refused.json()["detail"]
        assert secret not in refused.body.decode()
    assert Export.objects.count() == before


def test_a_revoked_key_cannot_watch_exports(live: Site) -> None:
    key = {"X_API_Key": new_key(), **elsewhere()}
    location = post(live, own(), **key).headers["location"]
    assert live.get(location, **key).status == 200
    keys.revoke(ApiKey.objects.latest("pk"))
    until(lambda: live.get(location, **key).status == 401, seconds=2)


def test_failed_keys_are_counted_by_address(live: Site) -> None:
    wrong = {"X_API_Key": f"airsense_{'z' * 43}", **elsewhere()}
    first = live.get(ALL, **wrong)
    assert (first.status, first.headers["ratelimit-policy"]) == (401, '"address";q=30;w=60')
    until(lambda: live.get(ALL, **wrong).status == 429)
    assert live.get(ALL, X_API_Key=new_key()).status == 200  # a key's own window is another


def test_a_key_grants_no_rights_of_a_user(live: Site) -> None:
    """If a request has a key and a token, the key decides; it gives access to exports only."""
    secret = new_key()
    both = {"X_API_Key": secret, "Authorization": authorization(member("operator"))}
    export = post(live, own(), **both).json()["id"]
    assert ids(live, X_API_Key=secret) == [export]
    assert live.get("/api/transfers/", X_API_Key=secret, **elsewhere()).status == 401
    both |= {"X_API_Key": new_key(scopes=["query"]), **elsewhere()}
    assert post(live, own(), **both).status == 403


def test_a_key_with_too_many_exports_waits_and_others_do_not(live: Site) -> None:
    secret = new_key()
    waiting = [queued(ApiKey.objects.latest("pk")) for _ in range(settings.EXPORTS_WAITING)]
    refused = post(live, own(), X_API_Key=secret)
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    assert "exports of yours are not done yet" in refused.json()["detail"]
    assert post(live, own(), X_API_Key=new_key()).status == 202
    retention.remove(waiting)


def test_requesting_an_export_costs_a_key_as_much_as_a_download(live: Site) -> None:
    secret = new_key(rate=600)
    created = post(live, own(), X_API_Key=secret)
    assert created.headers["ratelimit-policy"] == '"key";q=600;w=60'
    assert ";r=590;" in created.headers["ratelimit"]
    slow = new_key(rate=10)
    assert [post(live, own(), X_API_Key=slow).status for _ in range(2)] == [202, 429]


def test_clients_that_wait_occupy_no_thread(live: Site) -> None:
    """More clients wait than the server has threads, and a query is still answered at once."""
    secret = new_key(scopes=["export", "query"])
    export = queued(ApiKey.objects.latest("pk"))
    with ThreadPoolExecutor(20) as pool:
        began = time.monotonic()
        waits = [
            pool.submit(live.get, f"{ALL}{export.pk}?wait=6", X_API_Key=secret) for _ in range(20)
        ]
        time.sleep(1)
        assert live.get(f"/api/{DAYS}/?{own()}", X_API_Key=secret).status == 200
        assert time.monotonic() - began < 5
        assert {wait.result().json()["status"] for wait in waits} == {"queued"}
    retention.remove([export])


def test_no_stored_or_displayed_text_contains_the_key_and_the_admin_names_its_owner(
    live: Site,
) -> None:
    secret = new_key(name="Aviation lab")
    created = post(live, own(), X_API_Key=secret).json()["id"]
    digest = ApiKey.objects.latest("pk").digest
    with connection.cursor() as cursor:
        for table in ("flights_export", "flights_asker", "flights_apikey"):
            cursor.execute(f"SELECT string_agg({table}::text, ' ') FROM {table}")
            assert secret not in cursor.fetchone()[0]
    client = Client()
    client.force_login(member("viewer"))
    for path in ("", f"{created}/change/", "?q=Aviation"):
        page = client.get(f"/admin/flights/export/{path}").content.decode()
        assert f"key Aviation lab ({secret[:16]}...)" in page
        assert secret not in page
        assert digest not in page


def queued(key: ApiKey) -> Export:
    """A queued export of a key."""
    later = timezone.now() + timedelta(hours=1)
    facts = {"table": DAYS, "number": 1, "query": own(), "format": "csv", "due_at": later}
    export = Export.objects.create(**facts)
    Requester.objects.create(export=export, key=key)
    return export
