"""The addresses of the first AirSense: its clients work unchanged."""

import json
from collections.abc import Iterator

import pytest

from tests.platform import Platform, Response, Site, until
from tests.platforms import own_platform

WEEK = "2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2"
OPERATOR = (
    "from django.contrib.auth.models import Permission, User;"
    "from rest_framework.authtoken.models import Token;"
    "u = User.objects.create_user('{name}');"
    "u.user_permissions.set(Permission.objects.filter(codename__in={permissions}));"
    "print(Token.objects.create(user=u).key)"
)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Platform, Site]]:
    with own_platform() as own, own.running("worker"), own.site(processes=1) as site:
        own.ingest(WEEK)
        until(lambda: site.get("/connector").status == 200)
        yield own, site


@pytest.fixture(scope="module")
def operator(running: tuple[Platform, Site]) -> dict[str, str]:
    """Headers of a user who may start transfers."""
    platform, _ = running
    return {"Authorization": f"Token {token(platform, 'operator', 'start_transfer')}"}


def token(platform: Platform, name: str, *permissions: str) -> str:
    return platform.python(OPERATOR.format(name=name, permissions=permissions)).strip()


def transfer(site: Site, path: str = "", body: object = None, **headers: str) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    params = {"Content_Type": "application/json", **headers}
    return site.request("POST", f"/transfer_table{path}", data=data, **params)


def test_status_states_whether_each_part_is_reachable(running: tuple[Platform, Site]) -> None:
    _, site = running
    for path in ("/connector", "/dbstatus", "/rdsstatus"):
        response = site.get(path)
        assert (response.status, response.json()["status"]) == (200, "connected"), path
        assert site.request("POST", path).status == 405


def test_an_unreachable_part_is_reported_without_the_error(fresh: Platform) -> None:
    fresh.warehouse.mkdir()
    (fresh.warehouse / "warehouse.duckdb").write_text("no database")
    fresh.env["REDIS_URL"] = "redis://127.0.0.1:1"
    with fresh.site(processes=1) as site:
        for path in ("/connector", "/dbstatus"):
            response = site.get(path)
            assert (response.status, response.json()["status"]) == (503, "unreachable"), path
            assert str(fresh.warehouse).encode() not in response.body
        key = {"Authorization": f"Token {token(fresh, 'operator', 'start_transfer')}"}
        response = transfer(site, "?table_name=delays_by_day", **key)
        assert response.status == 500
        assert "Valkey" in response.json()["advice"]
        assert response.json()["detail"] == response.json()["error"]
        (row,) = json.loads(fresh.manage("dumpdata", "transfers.transfer"))
        assert row["fields"]["status"] == "failed"


def test_a_table_is_transferred_by_users_with_the_permission(
    running: tuple[Platform, Site], operator: dict[str, str]
) -> None:
    platform, site = running
    assert transfer(site, "?table_name=delays_by_day").status == 401
    assert transfer(site, "?table_name=delays_by_day", Authorization="Token wrong").status == 401
    viewer = {"Authorization": f"Token {token(platform, 'viewer', 'view_transfer')}"}
    assert transfer(site, "?table_name=delays_by_day", **viewer).status == 403

    by_address = transfer(site, "?table_name=delays_by_day", **operator)
    assert by_address.json() == {
        "status": "Table transferred successfully",
        "table_name": "delays_by_day",
        "rows_transferred": 2,
    }
    by_body = transfer(site, body={"table_name": "airline_performance"}, **operator)
    assert by_body.json()["rows_transferred"] == 2
    again = transfer(site, body={"table_name": "airline_performance"}, **operator).json()
    assert again["unchanged"]
    assert (again["status"], again["rows_transferred"]) == ("Table transferred successfully", 2)
    counts = {row["tablename"]: row for row in site.get("/service_transfer").json()["data"]}
    assert counts["delays_by_day"]["transfer_count"] == 1
    assert counts["delays_by_day"]["last_transfer_date"].startswith("20")
    assert counts["flight_delay_data"]["transfer_count"] == 0
    assert [row["id"] for row in counts.values()] == list(range(1, len(counts) + 1))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", None, 400),
        ("", {"table_name": ""}, 400),
        ("", ["delays_by_day"], 400),
        ("?table_name=delays_by_day", {"table_name": "airline_performance"}, 400),
        ("?table_name=pg_shadow", None, 404),
        ("", {"table_name": {"a": 1}}, 404),
    ],
)
def test_a_request_without_one_known_table_is_refused(
    running: tuple[Platform, Site], operator: dict[str, str], path: str, body: object, status: int
) -> None:
    _, site = running
    response = transfer(site, path, body, **operator)
    assert response.status == status
    assert "delays_by_day" in response.json()["allowed"]
    assert response.json()["detail"] == response.json()["message"] == response.json()["error"]


def search(site: Site, body: object) -> Response:
    data = json.dumps(body).encode()
    return site.request("POST", "/api/advanced_search", data, Content_Type="application/json")


def test_a_search_finds_texts_in_any_case_and_numbers_as_they_are_written(site: Site) -> None:
    body = search(site, {"query": " HONOLULU "}).json()
    city = body["busiest_airports_by_delays"]
    assert [row["City"] for row in city["rows"]] == ["Honolulu, HI"]
    assert "airline_performance" not in body
    assert len(body["flight_delay_data"]["rows"]) == 100
    assert all("Honolulu, HI" in row.values() for row in body["flight_delay_data"]["rows"])
    days = search(site, {"query": "11.7"}).json()["delays_by_day"]["rows"]
    assert [row["Day_of_Week"] for row in days] == ["Thursday"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "'", '"', "' OR 1=1 --"])
def test_a_search_takes_every_character_literally(site: Site, query: str) -> None:
    response = search(site, {"query": query})
    tables = response.json().values() if response.status == 200 else []
    assert response.status == 200 or response.json()["message"] == "No matching records found."
    for row in [row for table in tables for row in table["rows"]]:
        assert any(query in str(value) for value in row.values())


@pytest.mark.parametrize("body", [{}, [], "x", {"query": ""}, {"query": 7}, {"query": "a\0"}])
def test_a_search_without_a_query_is_refused(site: Site, body: object) -> None:
    assert search(site, body).status == 400
    assert search(site, {"query": "x" * 101}).status == 400
