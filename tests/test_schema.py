"""The OpenAPI description is valid, complete, and displayed without requests to other hosts."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import drf_spectacular
import pytest
import yaml
from django.contrib.auth import get_user_model
from playwright.sync_api import expect
from rest_framework.authtoken.models import Token

from airsense import data_folder
from flights.api.schema import examples
from flights.errors.responses import PROBLEM
from flights.mirror import MirroredTable, public
from flights.query import operators
from flights.tables import TABLES
from tests.browser import chromium, opened
from tests.json_schema import violations
from tests.platform import Platform, Response, Site

OPENAPI = Path(drf_spectacular.__file__).with_name("validation") / "openapi_3_1_schema.json"


@pytest.fixture(scope="module")
def described(site: Site) -> Any:
    response = site.get("/api/schema")
    assert response.status == 200
    return yaml.load(response.body, yaml.CSafeLoader)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_and_operator_is_described(described: Any, table: type[MirroredTable]) -> None:
    assert described["openapi"].startswith("3.1")
    operation = described["paths"][f"/api/{table._meta.db_table}/"]["get"]
    names = {parameter["name"] for parameter in _parameters(described, operation)}
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
    assert violations(whole, site.get(path + query).json()) == []


@pytest.mark.parametrize(
    ("path", "described_at"),
    [
        ("/api/", "/api/"),
        ("/api/delays_by_day/describe", "/api/delays_by_day/describe"),
        ("/api/search?q=boston+delta", "/api/search"),
        ("/api/search?q=nosuchword", "/api/search"),
        ("/api/search/suggest?q=new", "/api/search/suggest"),
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
    assert differences(described, site.get(path), described_at, "get") == []


def test_transfers_match_the_description(demo: Platform, site: Site, described: Any) -> None:
    user = get_user_model().objects.create_superuser("describer")
    key = {"Authorization": f"Token {Token.objects.create(user=user).key}"}
    try:
        listed = site.get("/api/transfers/", **key)
        assert listed.json()["results"]
        assert differences(described, listed, "/api/transfers/", "get") == []
        one = site.get(f"/api/transfers/{listed.json()['results'][0]['id']}/", **key)
        assert differences(described, one, "/api/transfers/{id}/", "get") == []
        for path in ("/api/transfers/", "/api/transfers/0/"):
            assert violations(_problem(described), site.get(path).json()) == []
        assert violations(_problem(described), site.get("/api/transfers/0/", **key).json()) == []
    finally:
        user.delete()


@pytest.mark.parametrize("table", TABLES)
def test_example_values_of_parameters_work(
    site: Site, described: Any, table: type[MirroredTable]
) -> None:
    path = f"/api/{table._meta.db_table}/"
    descriptions = " ".join(
        p.get("description", "") for p in _parameters(described, described["paths"][path]["get"])
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
                    assert violations(_problem(described), example["value"]) == []


BY_NAME = {
    *("/api/transfers/", "/api/transfers/{id}/", "/transfer_table"),
    *("/api/exports/", "/api/exports/{id}"),
    *("/api/transfers/previews/", "/api/transfers/previews/{id}/"),
}


def test_operations_that_change_data_state_the_required_permission(described: Any) -> None:
    for path, operations in described["paths"].items():
        for operation in operations.values():
            open_to_all = {} in operation["security"]
            assert open_to_all == (path not in BY_NAME), path


def test_the_description_stays_small_enough_for_tools() -> None:
    assert (data_folder.PROJECT / "docs" / "openapi.yml").stat().st_size < 450_000


def test_problems_match_the_description(site: Site, described: Any) -> None:
    problem = _problem(described)
    for path in ("/api/delays_by_day/?Nope=1", "/api/search", "/api/delays_by_day/?cursor=x"):
        assert violations(problem, site.get(path).json()) == []


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
    assert violations({**schema, "components": described["components"]}, refused.json()) == []


def test_every_address_of_the_api_is_described(described: Any) -> None:
    assert set(described["paths"]) == {
        *(f"/api/{table._meta.db_table}/" for table in TABLES),
        *(f"/api/{table._meta.db_table}/describe" for table in TABLES),
        *("/api/", "/api/search", "/api/graphql", "/api/advanced_search", "/api/dynamic_query"),
        *("/api/chat", "/api/ask", "/api/search/suggest", "/api/status"),
        *("/api/exports/", "/api/exports/{id}", "/api/exports/{id}/file"),
        *("/api/transfers/", "/api/transfers/{id}/", "/service_transfer", "/transfer_table"),
        *("/api/transfers/previews/", "/api/transfers/previews/{id}/"),
    }


@pytest.mark.deep  # Redoc displays the whole description, which takes it some seconds
def test_the_whole_description_can_be_read_in_a_browser(site: Site) -> None:
    with chromium() as browser, opened(browser, site.url) as page:
        page.goto("/api/redoc")
        page.get_by_text("All tables with their URLs").first.wait_for(timeout=30_000)


@pytest.mark.deep
def test_the_description_can_be_tried_in_a_browser(site: Site) -> None:
    with chromium() as browser, opened(browser, site.url) as page:
        page.goto("/api/docs")
        page.locator(".opblock-tag").first.wait_for()
        kinds = page.locator(".opblock-tag").evaluate_all("all => all.map(a => a.dataset.tag)")
        assert [kind for kind in KINDS if kind in kinds] == kinds
        assert {"Tables", "Query", "Groups", "Files", "Health"} <= {*kinds}
        expect(page.locator(".opblock")).to_have_count(0)  # every kind is closed
        page.locator("[data-tag=Query]").click()
        page.locator("#operations-Query-delays_by_day button").first.click()
        page.locator("[data-param-name=limit] input").fill("2")
        page.locator("[data-param-name=filters] textarea").fill('{"Total_Flights__gte": "45000"}')
        page.get_by_role("button", name="Execute").click()
        sent = page.locator(".request-url pre").first
        expect(sent).to_have_text(f"{site.url}/api/delays_by_day/?limit=2&Total_Flights__gte=45000")


KINDS = [
    *("Tables", "Query", "Groups", "Search", "Ask", "Files", "GraphQL", "First AirSense"),
    *("Transfers", "Health", "Other"),
]


@pytest.fixture(scope="module")
def short(site: Site) -> Any:
    """The description that /api/docs shows."""
    response = site.get("/api/schema/short")
    assert len(response.body) < 250_000
    return yaml.load(response.body, yaml.CSafeLoader)


def test_the_short_description_is_valid_and_ordered_by_kind(short: Any, described: Any) -> None:
    assert violations(json.loads(OPENAPI.read_text()), short) == []
    tags = [tag["name"] for tag in short["tags"]]
    assert [kind for kind in KINDS if kind in tags] == tags
    operations = [o for item in short["paths"].values() for o in item.values()]
    places = [KINDS.index(operation["tags"][0]) for operation in operations]
    assert places == sorted(places)
    missing = described["paths"].keys() - short["paths"].keys()
    assert {path.rpartition("/")[2] for path in missing} == {"describe"}


@pytest.mark.parametrize("table", TABLES)
def test_a_short_operation_has_common_parameters_first_and_one_for_each_column(
    short: Any, table: type[MirroredTable]
) -> None:
    parameters = short["paths"][f"/api/{table._meta.db_table}/"]["get"]["parameters"]
    names = [parameter["name"] for parameter in parameters]
    columns = [public(field) for field in table.columns()]
    assert names[:4] == ["columns", "order_by", "limit", "offset"]
    assert names[names.index("format") + 1 :] == [*columns, "filters"]


def differences(described: Any, response: Response, path: str, method: str) -> list[str]:
    """List how a response differs from the description of its path and status."""
    operation = described["paths"][path][method]
    documented = _documented(described, operation, str(response.status))
    schema = documented["content"]["application/json"]["schema"]
    return violations({**schema, "components": described["components"]}, response.json())


def _parameters(described: Any, operation: Any) -> list[Any]:
    """The parameters of an operation, with those that it shares with others."""
    shared = described["components"]["parameters"]
    return [
        shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in operation["parameters"]
    ]


def _documented(described: Any, operation: Any, status: str) -> Any:
    """The description of a response; error responses are shared components."""
    response = operation["responses"][status]
    shared = response.get("$ref", "").rpartition("/")[2]
    return described["components"]["responses"][shared] if shared else response


def _problem(described: Any) -> Any:
    return {"$ref": "#/components/schemas/Problem", "components": described["components"]}
