"""Request bodies are limited on every path before anything reads or stores them."""

import re
import secrets
import select
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from airsense import data_folder
from tests import raw_http
from tests.nginx import in_front_of
from tests.platform import COLUMNS, Platform, Site, until
from transfers.models import WarehouseJob

UPLOAD = "/admin/transfers/warehousejob/ingest/"
MULTIPART = "Content-Type: multipart/form-data; boundary=b"
FORM = "Content-Type: application/x-www-form-urlencoded"
HUGE = 600_000_000
# Chunked bodies: above the limit, and so large that storing them would be visible.
CHUNK = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
ADDRESSES = [
    *("/admin/login/", "/admin/", UPLOAD, "/admin/auth/user/add/", "/admin/logout/"),
    *("/api/graphql", "/api/advanced_search", "/api/transfers/", "/api/exports/", "/api/nowhere"),
    *("/", "/explorer", "/healthz", "/readyz", "/service_transfer", "/static/airsense.css"),
]


@pytest.fixture(scope="module", params=["directly", "through nginx"])
def door(request: pytest.FixtureRequest, site: Site) -> Iterator[Site]:
    if request.param == "directly":
        yield site
    else:
        with in_front_of(site) as front:
            yield front


def session(group: str) -> str:
    """The session cookie of a user of this group."""
    user = User.objects.create_user(f"body-{secrets.token_hex(4)}", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_body_with_a_content_length_above_the_limit_is_not_read(site: Site, path: str) -> None:
    for method in ("POST", "PUT", "GET", "DELETE", "NONSENSE"):
        response = first(site, raw_http.head(method, path, FORM, f"Content-Length: {HUGE}"))
        assert raw_http.status(response) == 413
        assert b"600,000,000 bytes; the limit is 100,000" in response


def test_a_body_is_refused_also_where_the_response_is_cached(demo: Platform) -> None:
    with demo.site(processes=1) as one:
        until(lambda: one.get("/").headers["x-airsense-cache"] == "hit")
        response = first(one, raw_http.head("GET", "/", FORM, f"Content-Length: {HUGE}"))
        assert raw_http.status(response) == 413


@pytest.mark.parametrize("path", ["/admin/login/", UPLOAD, "/api/graphql", "/nowhere"])
def test_a_body_without_a_content_length_is_read_up_to_the_limit(door: Site, path: str) -> None:
    head = raw_http.head(
        "POST", path, MULTIPART, "Cookie: csrftoken=invented", "Transfer-Encoding: chunked"
    )
    with closing(raw_http.connect(door)) as client:
        client.sendall(head)
        with suppress(OSError):  # it is closed while we send
            for _ in range(1_000):
                client.sendall(CHUNK)
        assert raw_http.status(client.recv(1_000)) == 413


def test_an_invented_csrf_cookie_stores_nothing(door: Site) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    length, cookie = f"Content-Length: {HUGE}", "Cookie: csrftoken=" + "a" * 32
    with closing(raw_http.connect(door)) as client:
        client.sendall(raw_http.head("POST", "/admin/login/", MULTIPART, length, cookie) + part)
        with suppress(OSError):
            for _ in range(100):
                client.sendall(b"a" * 100_000)
        assert stored() == 0
        assert raw_http.status(client.recv(1_000)) == 413


@pytest.mark.parametrize("group", ["", "viewer"])
def test_a_client_that_may_not_upload_has_the_usual_body_limit(door: Site, group: str) -> None:
    cookie = f"Cookie: {session(group)}" if group else "Cookie: sessionid=invented"
    length = f"Content-Length: {HUGE}"
    assert (
        raw_http.status(first(door, raw_http.head("POST", UPLOAD, MULTIPART, length, cookie)))
        == 413
    )


def test_uploads_are_stored_in_the_data_folder(door: Site) -> None:
    cookies, token = _form(door)
    body = _multipart(token, 3_000_000)
    head = raw_http.head(
        *("POST", UPLOAD, MULTIPART, f"Content-Length: {len(body)}", f"Cookie: {cookies}"),
        *(f"Referer: {door.url}{UPLOAD}", "Connection: close"),
    )
    before = WarehouseJob.objects.count()
    with closing(raw_http.connect(door)) as client:
        client.sendall(head + body[:2_000_000])
        until(lambda: stored() >= 1_900_000)
        assert WarehouseJob.objects.count() == before
        client.sendall(body[2_000_000:])
        page = raw_http.rest(client)
        assert raw_http.status(page) == 200
    assert WarehouseJob.objects.count() == before
    _confirm(door, cookies, token, page)
    job = WarehouseJob.objects.latest("pk")
    assert WarehouseJob.objects.count() == before + 1
    assert Path(job.file.path).is_relative_to(data_folder.folder())
    assert job.file.size == 3_000_000
    until(lambda: stored() == 0)
    job.file.delete()
    job.delete()


def test_an_upload_has_a_limit_too(demo: Platform) -> None:
    with Platform({**demo.env, "UPLOAD_LIMIT_MIB": "1"}).site(processes=1) as site:
        cookies, _ = _form(site)
        length = f"Content-Length: {2 << 20}"
        response = first(
            site, raw_http.head("POST", UPLOAD, MULTIPART, f"Cookie: {cookies}", length)
        )
        assert raw_http.status(response) == 413
        assert b"the limit is 1,148,576" in response


def test_simultaneous_bodies_have_a_common_limit(demo: Platform) -> None:
    """Each is small enough, but together they would fill the memory."""
    begin = raw_http.head("POST", "/api/graphql", "Content-Length: 90000") + b"a" * 80_000
    with Platform({**demo.env, "BODIES_MIB": "1"}).site(processes=1) as site:
        with ExitStack() as held:
            clients = [held.enter_context(closing(raw_http.connect(site))) for _ in range(20)]
            for client in clients:
                client.sendall(begin)
            readable, *_ = select.select(clients, [], [], 10)
            assert {raw_http.status(client.recv(1_000)) for client in readable} == {503}
        query = {"data": b'{"query": "{tables{table}}"}', "Content_Type": "application/json"}
        until(lambda: site.request("POST", "/api/graphql", **query).status == 200)  # type: ignore[arg-type]


def test_a_body_without_a_content_length_is_answered(door: Site) -> None:
    body = b'{"query": "{ tables { table } }"}'
    head = raw_http.head(
        *("POST", "/api/graphql", "Content-Type: application/json"),
        *("Transfer-Encoding: chunked", "Connection: close"),
    )
    response = raw_http.send(door, head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert raw_http.status(response) == 200
    assert b"delays_by_day" in response


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 2", "Content-Length: 2"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: 2, 2",),
        ("Content-Length: -2",),
        ("Content-Length: +2",),
        ("Content-Length: two",),
        (f"Content-Length: {'9' * 30}",),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip",),
        ("Transfer_Encoding: chunked",),
    ],
)
def test_an_invalid_content_length_causes_no_server_error(
    site: Site, headers: tuple[str, ...]
) -> None:
    head = raw_http.head("POST", "/api/advanced_search", "Content-Type: application/json", *headers)
    assert 400 <= raw_http.status(first(site, head + b"{}")) < 500


@pytest.mark.parametrize("charset", ["utf-32", "undefined", "x" * 5_000, "utf-16", "latin-1"])
def test_a_body_in_another_charset_is_refused(site: Site, charset: str) -> None:
    type_ = f"application/json; charset={charset}"
    response = site.request("POST", "/api/graphql", b"{}", Content_Type=type_)
    assert response.status == 415
    assert response.json()["detail"].endswith("Send UTF-8.")


def first(site: Site, data: bytes) -> bytes:
    """The response that comes before the body is complete."""
    with closing(raw_http.connect(site)) as client:
        client.sendall(data)
        return client.recv(10_000)


def stored() -> int:
    """Bytes of the largest nameless file in the data folder: AirSense stores bodies in these."""
    size = 0
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            target = str(link.readlink())
            if target.startswith(f"{data_folder.folder()}/#") and target.endswith(" (deleted)"):
                size = max(size, link.stat().st_size)
    return size


def _form(site: Site) -> tuple[str, str]:
    """The cookies of an operator, and the token of the upload's form."""
    cookies = session("operator")
    page = site.get(UPLOAD, Cookie=cookies)
    received = SimpleCookie(page.headers["set-cookie"])
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    assert token
    return f"{cookies}; csrftoken={received['csrftoken'].value}", token[1].decode()


def _confirm(door: Site, cookies: str, token: str, page: bytes) -> None:
    upload = re.search(rb'name="upload" value="([^"]+)"', page)
    assert upload
    fields = {"csrfmiddlewaretoken": token, "kind": "append", "upload": upload[1].decode()}
    data = urlencode(fields).encode()
    response = door.request("POST", UPLOAD, data, Cookie=cookies, Referer=f"{door.url}{UPLOAD}")
    assert response.status == 200  # the list to which the upload redirects


def _multipart(token: str, size: int) -> bytes:
    fields = {"csrfmiddlewaretoken": token, "kind": "append"}
    parts = [f'form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    content = f"{COLUMNS}\n2013-01-01,Alpha,A,B,1,2\n".ljust(size, "\n")
    parts.append(f'form-data; name="file"; filename="records.csv"\r\n\r\n{content}')
    lines = "".join(f"--b\r\nContent-Disposition: {part}\r\n" for part in parts)
    return f"{lines}--b--\r\n".encode()
