"""GraphQL requests of tests, and the data or errors of their responses."""

import json
from typing import Any
from urllib.parse import urlencode

from tests.platform import Response, Site

PATH = "/api/graphql"
OTHER_TYPE = "application/graphql-response+json"


def post(site: Site, query: str, **variables: Any) -> Response:
    body = json.dumps({"query": query, "variables": variables}).encode()
    return site.ask("POST", PATH, body, Content_Type="application/json")


def get(site: Site, query: str, **headers: str) -> Response:
    return site.get(f"{PATH}?{urlencode({'query': query})}", **headers)


def data(answer: Response) -> Any:
    assert answer.status == 200, answer.body
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]


def refused(answer: Response, status: int = 400) -> str:
    """Check that the request failed, and return its error messages as one text."""
    assert answer.status == status, answer.body
    text = answer.body.decode()
    assert "SELECT" not in text
    assert "Traceback" not in text
    errors = answer.json()["errors"]
    assert errors[0]["extensions"]["status"] == status
    return "\n".join(error["message"] for error in errors)
