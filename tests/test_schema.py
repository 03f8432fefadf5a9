"""The OpenAPI description is valid, complete, and displayed without requests to other hosts."""

from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from django.contrib.auth import get_user_model
from jsonschema import Draft202012Validator
from rest_framework.authtoken.models import Token

from airsense import data_folder
from flights.api.schema import examples
from flights.errors.responses import PROBLEM
from flights.mirror import MirroredTable, public
from flights.query import operators
from flights.tables import TABLES
from tests.browser import chromium, opened
from tests.platform import Answer, Platform, Site


@pytest.fixture(scope="module")
def described(site: Site) -> Any:
    answer = site.get("/api/schema")
    assert answer.status == 200
    return yaml.safe_load(answer.body)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_and_operator_is_described(described: Any, table: type[MirroredTable]) -> None:
    assert described["openapi"].startswith("3.1")
    operation = described["paths"][f"/api/{table._meta.db_table}/"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    for field in table.columns():
        for lookup in operators.names(field):
            assert (public(field) if lookup == "exact" else f"{public(field)}__{lookup}") in names
    assert {"columns", "group_by", "cursor", "format"} <= names
    assert {"200", "400", "410", "503"} <= set(operation["responses"])
    assert "application/vnd.apache.parquet" in operation["responses"]["200"]["content"]
    assert PROBLEM in _documented(described, operation, "400")["content"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("query", ["", "?limit=3", "?limit=2&cursor="])
def test_responses_match_the_description(
    site: Site, described: Any, table: type[MirroredTable], query: str
) -> None:
    path = f"/api/{table._meta.db_table}/"
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    whole = {**schema["schema"], "components": described["components"]}
    assert _wrong(whole, site.get(path + query).json()) == []


@pytest.mark.parametrize(
    ("path", "described_at"),
    [
        ("/api/", "/api/"),
        ("/api/delays_by_day/describe", "/api/delays_by_day/describe"),
        ("/api/search?q=boston+delta", "/api/search"),
        ("/api/flight_delay_data/?facets=Airline_Name&limit=1", "/api/flight_delay_data/"),
        ("/api/dynamic_query?table_name=delays_by_day", "/api/dynamic_query"),
        ("/api/graphql?query=%7Bdelays_by_day%7Bversion%7D%7D", "/api/graphql"),
        ("/api/graphql?query=%7Bnope%7D", "/api/graphql"),
        ("/service_transfer", "/service_transfer"),
    ],
)
def test_other_responses_match_the_description(
    site: Site, described: Any, path: str, described_at: str
) -> None:
    assert wrong_answer(described, site.get(path), described_at, "get") == []


def test_transfers_match_the_description(demo: Platform, site: Site, described: Any) -> None:
    user = get_user_model().objects.create_superuser("describer")
    key = {"Authorization": f"Token {Token.objects.create(user=user).key}"}
    try:
        listed = site.get("/api/transfers/", **key)
        assert listed.json()["results"]
        assert wrong_answer(described, listed, "/api/transfers/", "get") == []
        one = site.get(f"/api/transfers/{listed.json()['results'][0]['id']}/", **key)
        assert wrong_answer(described, one, "/api/transfers/{id}/", "get") == []
        for path in ("/api/transfers/", "/api/transfers/0/"):
            assert _wrong(_problem(described), site.get(path).json()) == []
        assert _wrong(_problem(described), site.get("/api/transfers/0/", **key).json()) == []
    finally:
        user.delete()


@pytest.mark.parametrize("table", TABLES)
def test_example_values_of_parameters_work(
    site: Site, described: Any, table: type[MirroredTable]
) -> None:
    path = f"/api/{table._meta.db_table}/"
    descriptions = " ".join(
        p.get("description", "") for p in described["paths"][path]["get"]["parameters"]
    )
    for name, value in examples(table).items():
        assert f"For example `{value}`." in descriptions
        group = {"group_by": examples(table)["group_by"]} if name == "having" else {}
        assert site.get(f"{path}?{urlencode({name: value, **group})}").status == 200, name


def test_each_problem_has_an_example_of_its_own(described: Any) -> None:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for code in operation["responses"]:
                content = (
                    _documented(described, operation, code).get("content", {}).get(PROBLEM, {})
                )
                if content:
                    (example,) = content["examples"].values()
                    assert example["value"]["status"] == int(code), path
                    assert _wrong(_problem(described), example["value"]) == []


BY_NAME = {
    *("/api/transfers/", "/api/transfers/{id}/", "/transfer_table"),
    *("/api/exports/", "/api/exports/{id}"),
}


def test_operations_that_change_data_state_the_required_permission(described: Any) -> None:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            open_to_all = {} in operation["security"]
            assert open_to_all == (path not in BY_NAME), path


def test_the_description_stays_small_enough_for_tools() -> None:
    assert (data_folder.PROJECT / "docs" / "openapi.yml").stat().st_size < 600_000


def test_problems_match_the_description(site: Site, described: Any) -> None:
    problem = _problem(described)
    for path in ("/api/delays_by_day/?Nope=1", "/api/search", "/api/delays_by_day/?cursor=x"):
        assert _wrong(problem, site.get(path).json()) == []


@pytest.mark.parametrize(
    ("path", "described_at"),
    [
        ("/api/", "/api/"),
        ("/api/delays_by_day/", "/api/delays_by_day/"),
        ("/api/delays_by_day/describe", "/api/delays_by_day/describe"),
        ("/api/search?q=boston", "/api/search"),
        ("/api/dynamic_query?table_name=delays_by_day", "/api/dynamic_query"),
        ("/service_transfer", "/service_transfer"),
    ],
)
def test_a_406_response_matches_the_description(
    site: Site, described: Any, path: str, described_at: str
) -> None:
    refused = site.get(path, Accept="audio/mpeg")
    assert refused.status == 406
    expected = _documented(described, described["paths"][described_at]["get"], "406")
    schema = expected["content"][refused.headers["content-type"]]["schema"]
    assert _wrong({**schema, "components": described["components"]}, refused.json()) == []


def test_every_address_of_the_api_is_described(described: Any) -> None:
    assert set(described["paths"]) == {
        *(f"/api/{table._meta.db_table}/" for table in TABLES),
        *(f"/api/{table._meta.db_table}/describe" for table in TABLES),
        *("/api/", "/api/search", "/api/graphql", "/api/advanced_search", "/api/dynamic_query"),
        "/api/chat",
        *("/api/exports/", "/api/exports/{id}", "/api/exports/{id}/file"),
        *("/api/transfers/", "/api/transfers/{id}/", "/service_transfer", "/transfer_table"),
    }


@pytest.mark.parametrize(
    ("path", "shows"),
    [("/api/docs", "/api/delays_by_day/"), ("/api/redoc", "All tables with their URLs")],
)
def test_the_description_can_be_read_in_a_browser(site: Site, path: str, shows: str) -> None:
    with chromium() as browser, opened(browser, site.url) as page:
        page.goto(path)
        page.get_by_text(shows).first.wait_for()


def wrong_answer(described: Any, answer: Answer, path: str, method: str) -> list[str]:
    """List how a response differs from the description of its path and status."""
    response = _documented(described, described["paths"][path][method], str(answer.status))
    schema = response["content"]["application/json"]["schema"]
    return _wrong({**schema, "components": described["components"]}, answer.json())


def _documented(described: Any, operation: Any, status: str) -> Any:
    """The description of a response; error responses are shared components."""
    answer = operation["responses"][status]
    shared = answer.get("$ref", "").rpartition("/")[2]
    return described["components"]["responses"][shared] if shared else answer


def _problem(described: Any) -> Any:
    return {"$ref": "#/components/schemas/Problem", "components": described["components"]}


def _wrong(schema: Any, answer: Any) -> list[str]:
    return [error.message[:200] for error in Draft202012Validator(schema).iter_errors(answer)]
