"""Failures, stale tables and their ends, told once by mail and webhook to real receivers."""

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest

from tests.servers import own_environment
from tests.whole import Platform, until

TABLE = "delays_by_day"
KEY = b"a key of the tests, 32 bytes long"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
FLIGHTS = "2013-01-07,Alpha,A,B,10,20"


@dataclass
class Receiver:
    """What came by webhook and by mail; `status` is what it answers a webhook."""

    status: int = 204
    posts: list[dict[str, Any]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)


@contextmanager
def served(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hook(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            named = {name.lower(): value for name, value in self.headers.items()}
            signed = f"{named['webhook-id']}.{named['webhook-timestamp']}.".encode() + body
            mac = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
            right = named["webhook-signature"] == f"v1,{mac}"
            if receiver.status == 204:
                post = {**json.loads(body), "id": named["webhook-id"], "signed": right}
                receiver.posts.append(post)
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the output is pytest's."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def post_office(receiver: Receiver) -> socketserver.ThreadingTCPServer:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline():
                command = line[:4].upper().strip()
                if command == b"DATA":
                    self.say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    receiver.mails.append(b"".join(lines).decode())
                self.say("221 bye" if command == b"QUIT" else "250 fine")
                if command == b"QUIT":
                    return

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def platform(receiver: Receiver) -> Iterator[Platform]:
    with served(hook(receiver)) as web, served(post_office(receiver)) as mail:
        own = Platform(own_environment())
        own.manage("setup")
        own.env |= {
            "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{web}/hidden-path",
            "ALERT_WEBHOOK_SECRET": SECRET,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail}",
            "ALERT_MAIL_TO": "ops@example.org,data@example.org",
        }
        yield own
        own.remove()


def deliver(platform: Platform) -> None:
    platform.python("from transfers import tasks; tasks.deliver_alerts()")


def kinds(receiver: Receiver, table: str = TABLE) -> list[str]:
    told = (post for post in receiver.posts if post["data"]["table"] == table)
    return [post["type"].removeprefix("table.") for post in told]


def fail(platform: Platform) -> None:
    assert platform.attempt("transfer", TABLE).returncode == 1


def test_a_failure_and_its_end_are_told_once_each(platform: Platform, receiver: Receiver) -> None:
    fail(platform)
    deliver(platform)
    fail(platform)
    deliver(platform)
    assert kinds(receiver) == ["failed"]
    platform.ingest(FLIGHTS)
    platform.manage("transfer", TABLE)
    platform.manage("transfer", TABLE)
    deliver(platform)
    assert kinds(receiver) == ["failed", "recovered"]
    assert all(post["signed"] for post in receiver.posts)
    assert len({post["id"] for post in receiver.posts}) == 2
    assert [mail.count(f"Subject: AirSense: {TABLE}") for mail in receiver.mails] == [1, 1]
    assert all("To: ops@example.org, data@example.org" in mail for mail in receiver.mails)


def test_workers_that_deliver_at_once_tell_once(platform: Platform, receiver: Receiver) -> None:
    fail(platform)
    threads = [threading.Thread(target=deliver, args=[platform]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (kinds(receiver), len(receiver.mails)) == (["failed"], 1)


def test_a_receiver_that_was_away_is_told_later(platform: Platform, receiver: Receiver) -> None:
    receiver.status = 503
    fail(platform)
    deliver(platform)
    assert (receiver.posts, len(receiver.mails)) == ([], 1)
    shown = platform.python(
        "from transfers.models import Delivery; print(*Delivery.objects.all(), sep='\\n')"
    )
    assert "The receiver answered 503." in shown
    assert "hidden-path" not in shown
    receiver.status = 204

    def told() -> bool:
        deliver(platform)
        return bool(receiver.posts)

    until(told)
    deliver(platform)
    assert (kinds(receiver), len(receiver.mails)) == (["failed"], 1)


def test_a_stale_table_is_told_once_and_again_when_it_is_fresh(
    platform: Platform, receiver: Receiver
) -> None:
    platform.ingest(FLIGHTS)
    platform.manage("transfer", TABLE)
    with psycopg.connect(platform.env["DATABASE_URL"], autocommit=True) as database:
        late = "UPDATE transfers_transfer SET finished_at = now() - interval '25 hours'"
        database.execute(late)
    look = "from transfers import tasks; tasks.look_at_freshness()"
    platform.python(look)
    platform.python(look)
    platform.manage("transfer", TABLE)
    platform.python(look)
    deliver(platform)
    assert kinds(receiver) == ["stale", "fresh"]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"ALERT_WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "ALERT_WEBHOOK_SECRET is not whsec_"),
        ({"ALERT_WEBHOOK_URL": "ftp://host"}, "ALERT_WEBHOOK_URL is not of the form"),
        ({"EMAIL_URL": ""}, "there is no mail server"),
    ],
)
def test_a_bad_setting_is_refused_at_start(env: dict[str, str], says: str) -> None:
    good = {
        "ALERT_WEBHOOK_URL": "http://127.0.0.1/x",
        "ALERT_WEBHOOK_SECRET": SECRET,
        "EMAIL_URL": "smtp://127.0.0.1",
        "ALERT_MAIL_TO": "ops@example.org",
    }
    refused = Platform({**good, **env}).attempt("check")
    assert refused.returncode != 0
    assert says in refused.stderr
    assert not any(value in refused.stderr for value in env.values() if value)
