"""Loopback servers that receive alerts: SMTP and a webhook."""

import base64
import email
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer, StreamRequestHandler, ThreadingTCPServer
from typing import Any

KEY = b"0123456789abcdefghijklmnopqrstuv"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass
class Mailbox:
    port: int = 0
    received: list[Message] = field(default_factory=list)


@dataclass
class Webhook:
    """Accepts alerts that are signed as https://www.standardwebhooks.com/ specifies."""

    port: int = 0
    status: int = 204  # of the responses
    attempts: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)  # responses wait until it is set

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/path-of-a-customer"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()

    class Session(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                verb = line[:4].upper().strip()
                self.wfile.write({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, OK))
                if verb == b"DATA":
                    box.received.append(email.message_from_bytes(b"".join(self.letter())))
                    self.wfile.write(OK)
                if verb == b"QUIT":
                    return

        def letter(self) -> Iterator[bytes]:
            while (line := self.rfile.readline()) != b".\r\n":
                yield line

    with _serving(ThreadingTCPServer(("127.0.0.1", 0), Session)) as box.port:
        yield box


@contextmanager
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    hook.open.set()

    class Request(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.attempts += 1
            hook.open.wait(30)
            signed = _is_signed(self.headers, body)
            if signed and hook.status == 204:
                hook.received.append({"id": self.headers["webhook-id"], **json.loads(body)})
            self.send_response(hook.status if signed else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Request)) as hook.port:
        yield hook


OK = b"250 ok\r\n"


def _is_signed(headers: Message, body: bytes) -> bool:
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
    return f"v1,{right}" in headers["webhook-signature"].split()


@contextmanager
def _serving(server: BaseServer) -> Iterator[int]:
    """Run a server during the block and yield its port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield int(server.server_address[1])  # type: ignore[index]  # both have TCP addresses
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
