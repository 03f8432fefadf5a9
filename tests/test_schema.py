"""The OpenAPI description: valid, complete, and shown without another host."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from flights.filters import lookups
from flights.mirror import MirroredTable, public
from flights.tables import TABLES
from tests.browser import chromium, opened
from tests.whole import Site


@pytest.fixture(scope="module")
def described(site: Site) -> Any:
    answer = site.get("/api/schema")
    assert answer.status == 200
    return yaml.safe_load(answer.body)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_and_operator_is_described(described: Any, table: type[MirroredTable]) -> None:
    assert described["openapi"].startswith("3.1")
    asked = described["paths"][f"/api/{table._meta.db_table}/"]["get"]
    names = {parameter["name"] for parameter in asked["parameters"]}
    for field in table.columns():
        for lookup in lookups(field):
            assert (public(field) if lookup == "exact" else f"{public(field)}__{lookup}") in names
    assert {"columns", "group_by", "cursor", "format"} <= names
    assert {"200", "400", "410", "503"} <= set(asked["responses"])
    assert "application/vnd.apache.parquet" in asked["responses"]["200"]["content"]
    assert "application/problem+json" in asked["responses"]["400"]["content"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("query", ["", "?limit=3", "?limit=2&cursor="])
def test_answers_are_as_described(
    site: Site, described: Any, table: type[MirroredTable], query: str
) -> None:
    path = f"/api/{table._meta.db_table}/"
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    whole = {**schema["schema"], "components": described["components"]}
    assert _wrong(whole, site.get(path + query).json()) == []


def test_problems_are_as_described(site: Site, described: Any) -> None:
    problem = {"$ref": "#/components/schemas/Problem", "components": described["components"]}
    for path in ("/api/delays_by_day/?Nope=1", "/api/search", "/api/delays_by_day/?cursor=x"):
        assert _wrong(problem, site.get(path).json()) == []


def test_every_address_of_the_api_is_described(described: Any) -> None:
    assert set(described["paths"]) == {
        *(f"/api/{table._meta.db_table}/" for table in TABLES),
        *(f"/api/{table._meta.db_table}/describe" for table in TABLES),
        *("/api/", "/api/search", "/api/graphql", "/api/advanced_search", "/api/dynamic_query"),
        *("/api/transfers/", "/api/transfers/{id}/", "/service_transfer", "/transfer_table"),
    }


@pytest.mark.parametrize(
    ("path", "shows"),
    [("/api/docs", "/api/delays_by_day/"), ("/api/redoc", "Every table: where it is queried")],
)
def test_the_description_is_read_in_a_browser(site: Site, path: str, shows: str) -> None:
    with chromium() as browser, opened(browser, site.url) as page:
        page.goto(path)
        page.get_by_text(shows).first.wait_for()


def _wrong(schema: Any, answer: Any) -> list[str]:
    return [error.message[:200] for error in Draft202012Validator(schema).iter_errors(answer)]
