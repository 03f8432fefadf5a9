"""Invalid JSON and unusual characters cause neither a 500 nor a traceback in the log."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_celery_beat.models import PeriodicTask

from tests.graphql import data, post
from tests.platform import Platform, Response, Site
from tests.samples import Sample

ROUTES = [
    *("/api/graphql", "/api/advanced_search", "/api/exports/", "/api/transfers/"),
    "/transfer_table",
]
# By route, a body in which a test inserts a value.
TEXTS = {
    "/api/graphql": '{"query": "query Q { __typename }", "operationName": %s}',
    "/api/advanced_search": '{"query": %s}',
    "/api/exports/": '{"table": "delays_by_day", "query": "", "format": %s}',
    "/api/transfers/": '{"tables": [%s]}',
    "/transfer_table": '{"table_name": %s}',
}
SURROGATES = ['"\\ud800"', '"a\\udfff"', '"\\udc00\\ud800"']
NOT_JSON = {
    "a lone surrogate as a name": b'{"\\ud800": 1}',
    "a lone surrogate in UTF-8": b'{"query": "\xed\xa0\x80"}',
    "not a number": b'{"query": NaN}',
    "infinity": b'{"query": -Infinity}',
    "a number beyond all": b'{"query": 1e999}',
    "a whole number of 5,000 digits": b'{"query": ' + b"9" * 5_000 + b"}",
    "100,000 brackets": b"[" * 60_000,
    "100,000 braces": b'{"a":' * 12_000,
    "a BOM": b'\xef\xbb\xbf{"query": "a"}',
    "UTF-16": '{"query": "a"}'.encode("utf-16"),
    "UTF-32": '{"query": "a"}'.encode("utf-32"),
    "latin-1": b'{"query": "\xe9"}',
    "a raw NUL": b'{"query": "\0"}',
    "two values": b"{}{}",
    "half a text": b'{"query": "',
}
FORM = "application/x-www-form-urlencoded"
ODD_TEXTS = ["%00", "%ED%A0%80", "%FF", "%F4%90%80%80", "a" * 3_000]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "log"


@pytest.fixture(scope="module")
def own(demo: Platform, log: Path) -> Iterator[Site]:
    with Platform(demo.env, log=log).site(processes=1) as site:
        yield site


@pytest.fixture(scope="module")
def token(demo: Platform) -> str:
    return f"Token {demo.token()}"


@pytest.fixture(autouse=True)
def _no_trace(log: Path, own: Site) -> Iterator[None]:
    before = len(log.read_text())
    yield
    assert "Traceback" not in log.read_text()[before:]


def send(own: Site, token: str, path: str, body: bytes, kind: str = "application/json") -> Response:
    all_headers = (
        {} if path in ("/api/graphql", "/api/advanced_search") else {"Authorization": token}
    )
    return own.request("POST", path, body, Content_Type=kind, **all_headers)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("wrong", NOT_JSON)
def test_invalid_json_is_refused_with_its_place(
    own: Site, token: str, path: str, wrong: str
) -> None:
    response = send(own, token, path, NOT_JSON[wrong])
    assert response.status == 400
    assert b"not JSON" in response.body
    assert b"line 1 column" in response.body


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("text", SURROGATES)
def test_a_lone_surrogate_is_refused(own: Site, token: str, path: str, text: str) -> None:
    response = send(own, token, path, (TEXTS[path] % text).encode())
    assert (response.status, b"surrogate" in response.body) == (400, True)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("text", ['"a\\u0000b"', "1", "null", "[]", "{}", "true", '"\\u202e"'])
def test_an_unusual_value_causes_no_server_error(
    own: Site, token: str, path: str, text: str
) -> None:
    response = send(own, token, path, (TEXTS[path] % text).encode())
    assert response.status in (200, 400, 404)


@pytest.mark.parametrize("path", [*ROUTES, "/api/chat"])
def test_a_repeated_json_name_is_refused_by_name(own: Site, token: str, path: str) -> None:
    names = {"/api/transfers/": "tables", "/transfer_table": "table_name", "/api/chat": "message"}
    name = names.get(path, "query")
    for body in (f'{{"{name}": "a", "{name}": "a"}}', f'{{"a": [{{"{name}": 1, "{name}": 1}}]}}'):
        response = send(own, token, path, body.encode())
        assert (response.status, f"the name '{name}' twice".encode() in response.body) == (
            400,
            True,
        )


def test_a_repeated_name_among_many_is_found_at_once(own: Site, token: str) -> None:
    names = ",".join(f'"{number}":1' for number in range(9_000))
    began = time.monotonic()
    response = send(own, token, "/api/advanced_search", f'{{{names},"8999":1}}'.encode())
    assert (response.status, time.monotonic() - began < 2) == (400, True)


@pytest.mark.parametrize("path", ["/api/advanced_search", "/api/exports/", "/transfer_table"])
def test_a_repeated_name_of_a_form_is_refused(own: Site, token: str, path: str) -> None:
    form = b"query=a&table_name=delays_by_day&table_name=delays_by_day"
    response = send(own, token, path, form, FORM)
    assert (response.status, b"appears 2 times" in response.body) == (400, True)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "utf-7", "undefined", "idna", "'"])
def test_another_charset_is_refused(own: Site, token: str, path: str, charset: str) -> None:
    response = send(own, token, path, b'{"query": "a"}', f"application/json; charset={charset}")
    assert (response.status, b"UTF-8" in response.body) == (415, True)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("text", ODD_TEXTS)
def test_a_form_with_odd_letters_is_no_failure(own: Site, token: str, path: str, text: str) -> None:
    body = "&".join(f"{name}={text}" for name in ("query", "table", "tables", "table_name"))
    assert send(own, token, path, body.encode(), FORM).status in (200, 400, 404, 415)


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', "NaN", "[" * 2_000, "9" * 4_000, "\ufeff{}"])
def test_invalid_json_in_the_address_is_refused_as_in_a_body(
    own: Site, name: str, text: str
) -> None:
    query = urlencode({"query": "{ __typename }", name: text})
    response = own.get(f"/api/graphql?{query}")
    assert (response.status, f"{name} is not JSON".encode() in response.body) == (400, True)
    query = urlencode({"query": "{ __typename }", name: '{"a": 1, "a": 1}'})
    response = own.get(f"/api/graphql?{query}")
    assert (response.status, f"{name} has the name 'a' twice".encode() in response.body) == (
        400,
        True,
    )


def test_a_whole_number_of_any_size_is_read_as_it_is_written(own: Site) -> None:
    query = "query ($n: Long) { delays_by_day(where: {Total_Flights: {lt: $n}}) { count } }"
    assert data(post(own, query, n=10**30))["delays_by_day"]["count"] == 7


@pytest.mark.parametrize("path", ["/api/delays_by_day/?Day_of_Week=", "/api/search?q="])
@pytest.mark.parametrize("text", ["%ED%A0%80", "%FF", "%00", "%F4%90%80%80"])
def test_odd_letters_of_an_address_are_refused(own: Site, path: str, text: str) -> None:
    assert own.get(path + text).status == 400


def admin(own: Site) -> tuple[Client, str]:
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    return client, f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.parametrize("field", ["username", "password", "next", "csrfmiddlewaretoken"])
@pytest.mark.parametrize("text", ODD_TEXTS)
def test_the_admin_form_of_logging_in_takes_odd_letters(own: Site, field: str, text: str) -> None:
    cookie = "a" * 32
    form = {"csrfmiddlewaretoken": cookie, "username": "odd", "password": "odd"}
    body = urlencode(form | {field: ""}).replace(f"{field}=", f"{field}={text}")
    response = own.request(
        *("POST", "/admin/login/", body.encode()),
        Content_Type=FORM,
        Cookie=f"csrftoken={cookie}",
        Referer=own.url,
    )
    assert response.status in (200, 400, 403, 429)


@pytest.mark.parametrize("text", ['["\\ud800"]', "[" * 5_000, "NaN", "[1e999]", '["\\u0000"]'])
def test_a_schedule_takes_its_choices_and_no_arguments(own: Site, text: str) -> None:
    _, cookie = admin(own)
    token = "a" * 32
    form = {"csrfmiddlewaretoken": token, "name": "odd", "task": "transfers.tasks.transfer_tables"}
    clocked = {"args": text, "interval": "1", "enabled": "on"}
    response = own.request(
        *("POST", "/admin/django_celery_beat/periodictask/add/"),
        urlencode(form | clocked).encode(),
        Content_Type=FORM,
        Cookie=f"{cookie}; csrftoken={token}",
        Referer=own.url,
    )
    assert response.status == 200
    assert b"This field is required" in response.body
    assert not PeriodicTask.objects.filter(name="odd").exists()


ADMIN_PAGES = [
    "/admin/auth/user/?q={}",
    "/admin/auth/user/?is_staff__exact={}",
    "/admin/auth/user/?o={}",
    "/admin/auth/user/?p={}",
    "/admin/auth/user/{}/change/",
    "/admin/transfers/transfer/?q={}",
    "/admin/transfers/transfer/?table={}",
    "/admin/transfers/transfer/?status__exact={}",
    "/admin/flights/tableversion/?table={}",
    "/admin/flights/apikey/?q={}",
    "/admin/django_celery_beat/periodictask/{}/change/",
    *(f"/admin/transfers/transfer/{{}}/{page}/" for page in ("change", "retry", "publish-anyway")),
    "/admin/flights/tableversion/{}/change/",
    "/admin/flights/tableversion/{}/roll-back/",
    "/admin/authtoken/tokenproxy/{}/revoke/",
    "/admin/transfers/warehousejob/{}/change/",
    "/admin/autocomplete/?term={}&app_label=auth&model_name=user&field_name=groups",
]


@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_an_address_of_the_admin_takes_odd_letters(own: Site, page: str, sample: Sample) -> None:
    _, cookie = admin(own)
    texts = [*ODD_TEXTS, "9" * 400, "abc", "%C2%B2", "1e3", "%D9%A1"]  # and ², an Arabic 1
    for text in sample.of(texts):
        status = own.get(page.format(text), Cookie=cookie).status
        assert status in (200, 302, 400, 403, 404), text


def test_json_of_a_usual_client_is_read(own: Site, token: str) -> None:
    body = json.dumps({"query": "no airline \U0001f600 é"}).encode()
    response = send(own, token, "/api/advanced_search", body)
    assert (response.status, response.json()["message"]) == (404, "No matching records found.")
