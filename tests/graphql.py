"""GraphQL requests of tests, and the data or errors of their responses."""

import json
from typing import Any
from urllib.parse import urlencode

from tests.platform import Response, Site

PATH = "/api/graphql"
OTHER_TYPE = "application/graphql-response+json"


def post(site: Site, query: str, **variables: Any) -> Response:
    body = json.dumps({"query": query, "variables": variables}).encode()
    return site.request("POST", PATH, body, Content_Type="application/json")


def get(site: Site, query: str, **headers: str) -> Response:
    return site.get(f"{PATH}?{urlencode({'query': query})}", **headers)


def data(response: Response) -> Any:
    assert response.status == 200, response.body
    body = response.json()
    assert "errors" not in body, body
    return body["data"]


def refused(response: Response, status: int = 400) -> str:
    """Check that the request failed, and return its error messages as one text."""
    assert response.status == status, response.body
    text = response.body.decode()
    assert "SELECT" not in text
    assert "Traceback" not in text
    errors = response.json()["errors"]
    assert errors[0]["extensions"]["status"] == status
    return "\n".join(error["message"] for error in errors)
