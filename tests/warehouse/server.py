"""The HTTP server of the warehouse: Thrift calls, result files, uploads, tokens and faults."""

import base64
import json
import socket
import ssl
import struct
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from databricks.sql.thrift_api.TCLIService import TCLIService
from databricks.sql.thrift_api.TCLIService import ttypes as t
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from .faults import Fault, Faults
from .results import Files
from .running import CLIENT, GOOGLE, SECRET, TOKEN
from .service import InvalidHandle, Service, call_name, failure
from .statements import Scope, Statements
from .tables import Name, Tables
from .volumes import Volumes

LOOPBACK = "127.0.0.1"
HTTP_PATH = "/sql/1.0/warehouses/tests"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AZURE_SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
CATALOG, SCHEMA, VOLUME = "main", "flights", "airsense"


@dataclass
class Tokens:
    """The valid access tokens and when they expire."""

    lifetime: float = 3600.0  # seconds
    google_key: str = ""  # the public key of the Google service account
    expiries: dict[str, float] = field(default_factory=lambda: {TOKEN: float("inf")})

    def valid(self, header: str) -> bool:
        """Whether an Authorization header has a token that has not expired."""
        return self.expiries.get(header.removeprefix("Bearer "), 0.0) > time.time()

    def grant(self, url: str, header: str, body: str) -> str | None:
        """Return a token for client credentials (RFC 6749, 4.4); None if they are wrong."""
        if not self._is_known(header, dict(parse_qsl(body))):
            return None
        expires = time.time() + self.lifetime
        # The connector reads `exp` to know until when it can use the token.
        token = jwt.encode({"iss": url, "exp": expires, "jti": uuid.uuid4().hex}, SECRET * 2)
        self.expiries[token] = expires
        return token

    def _is_known(self, header: str, form: dict[str, str]) -> bool:
        """Whether these are the tests' credentials, of Databricks, Azure or Google."""
        if form.get("grant_type") == JWT_BEARER:
            claims = jwt.decode(
                form["assertion"], self.google_key, ["RS256"], options={"verify_aud": False}
            )
            return bool(claims["target_audience"] and claims["iss"] == GOOGLE)
        if form.get("scope") == AZURE_SCOPE:
            return (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        return header == f"Basic {basic}" and form.get("grant_type") == "client_credentials"


def _name(host: str, tls: ssl.SSLContext | None) -> str:
    """The name in the server's URL and certificate."""
    return "localhost" if tls and host == LOOPBACK else host


class Warehouse(ThreadingHTTPServer):
    """Serves the tables of a folder on a port of an address; 0 chooses a free port."""

    daemon_threads, request_queue_size = True, 64

    def __init__(
        self,
        folder: Path,
        *,
        links: bool,
        tls: ssl.SSLContext | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        super().__init__((host, port), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' * bool(tls)}://{_name(host, tls)}:{self.server_port}"
        self.faults, self.files, self.tokens = Faults(), Files(), Tokens()
        tables, scope = Tables(folder), Scope(CATALOG, SCHEMA)
        self.volumes = Volumes(folder, tables)
        statements = Statements(tables, self.volumes)
        self.service = Service(
            statements, self.files, self.faults, self.url, links=links, scope=scope
        )
        self.state = "RUNNING"
        self.calls: list[str] = []
        self.add_schema(SCHEMA)

    def add_schema(self, name: str) -> None:
        """Create a schema, and in it the volume that AirSense uses for uploads."""
        self.service.statements.tables.add_schema(CATALOG, name)
        self.volumes.create(Name(CATALOG, name, VOLUME))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: in tests, clients often close connections."""

    def respond(self, message: bytes, call: str, fault: Fault | None) -> bytes:
        """Run the call of a Thrift message, and return the response message."""
        out = TMemoryBuffer()
        protocol = partial(TBinaryProtocol, string_length_limit=None)
        calls: Any = Calls(self.service, call, fault)
        TCLIService.Processor(calls).process(protocol(TMemoryBuffer(message)), TBinaryProtocol(out))
        return bytes(out.getvalue())


@dataclass
class Calls:
    """Passes a Thrift call to the service, and turns a lost session into an error response."""

    service: Service
    call: str
    fault: Fault | None

    def __getattr__(self, name: str) -> Any:
        def respond(request: Any) -> Any:
            response_class = getattr(t, f"T{name}Resp")
            if self.fault and self.fault.do == "not-initialized":
                problem = "Session handle has not been initialized: the warehouse is starting."
                return failure(response_class, RuntimeError(problem))
            if self.fault and self.fault.do == "session-lost":
                self.service.lose_sessions()
            try:
                return getattr(self.service, name)(request)
            except InvalidHandle as error:
                return failure(response_class, error)

        return respond


def _damaged(content: bytes, fault: Fault | None) -> bytes:
    """Inject a fault: another page, or the first half, in place of a response."""
    if fault and fault.do == "page":
        return b"<html><body>This site is blocked by your organization.</body></html>"
    return content[: len(content) // 2] if fault and fault.do == "half" else content


class Handler(BaseHTTPRequestHandler):
    server: Warehouse
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # which would delay each call by 40 ms
    wbufsize = 1 << 16

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match urlsplit(self.path).path:
            case "/_faults":
                self.server.faults.add(json.loads(body))
                self._send(200)
            case "/_settings":
                self._apply_settings(json.loads(body))
            case "/oidc/v1/token" | "/tenant-of-the-tests/oauth2/v2.0/token" | "/google":
                self._token(body)
            case _:
                self._thrift(body)

    def do_DELETE(self) -> None:
        if self.path == "/_faults":
            self.server.faults.clear()
            self._send(200)
        elif path := self._upload():
            path.unlink(missing_ok=True)
            self._send(204)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/_log":
            return self._send_json({"calls": self.server.calls})
        if path.startswith("/files/"):
            return self._file(path.removeprefix("/files/"))
        if path.startswith("/api/2.0/sql/warehouses/") and self._authorised():
            return self._send_json({"state": self.server.state})
        return self._send(404)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.faults.take("upload")
        if not self._apply_fault(fault) and (path := self._upload()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            self._send(200)

    def _thrift(self, message: bytes) -> None:
        call = call_name(message)
        self.server.calls.append(call)
        fault = self.server.faults.take(call, message.decode("utf-8", "replace"))
        if not self._authorised() or self._apply_fault(fault):
            return
        response = self.server.respond(message, call, fault)
        if fault and fault.do == "lost":
            self._reset()
        else:
            response = _damaged(response, fault)
            self._send(200, response, cut=bool(fault and fault.do == "cut"))

    def _authorised(self) -> bool:
        """Whether the request has a valid token; otherwise send 401 or 403."""
        header = self.headers.get("Authorization", "")
        if not self.server.tokens.valid(header):
            code = 403 if header else 401
            self._send(code, headers={"x-databricks-reason-phrase": "Invalid access token."})
            return False
        return True

    def _apply_fault(self, fault: Fault | None) -> bool:
        """Apply a fault that happens before the call runs; whether the request is finished."""
        if fault and fault.do == "slow":
            time.sleep(fault.seconds)
        if fault and fault.do == "reset":
            self._reset()
        elif fault and fault.do.isdigit():
            self._send(int(fault.do), fault.body.encode(), headers=fault.headers)
        else:
            return False
        return True

    def _file(self, name: str) -> None:
        """Send a result file. Its URL is signed, so the client must not send its token."""
        self.server.calls.append("file")
        if "Authorization" in self.headers:
            self.server.calls.append("a token was sent to the storage")
        fault = self.server.faults.take("file")
        if self._apply_fault(fault):
            return
        file = self.server.files.get(name)
        if file is None or file.expires < time.time():
            return self._send(403 if file else 404, b"<Error><Code>AccessDenied</Code></Error>")
        self._send(200, _damaged(file.content, fault), cut=bool(fault and fault.do == "cut"))

    def _upload(self) -> Path | None:
        """Return the file that an upload URL is for; send 403 if there is none."""
        parts = urlsplit(self.path)
        path = self.server.volumes.tickets.get(parts.path.removeprefix("/uploads/"))
        if path is None:
            self._send(403)
        return path

    def _token(self, body: bytes) -> None:
        self.server.calls.append("token")
        fault = self.server.faults.take("token")
        if self._apply_fault(fault):
            return
        if fault and fault.do == "page":
            return self._send(200, _damaged(b"", fault))
        authorization = self.headers.get("Authorization", "")
        token = self.server.tokens.grant(self.server.url, authorization, body.decode())
        if token is None:
            return self._send_json({"error": "invalid_client"}, 401)
        lifetime = int(self.server.tokens.lifetime)
        name = "id_token" if b"jwt-bearer" in body else "access_token"
        self._send_json({name: token, "token_type": "Bearer", "expires_in": lifetime})

    def _apply_settings(self, values: dict[str, Any]) -> None:
        """Change the settings that a test sends; see `WarehouseServer.set`."""
        self.server.tokens.lifetime = values.get("token_lifetime", self.server.tokens.lifetime)
        self.server.tokens.google_key = values.get("google_key", self.server.tokens.google_key)
        self.server.state = values.get("state", self.server.state)
        if schema := values.get("schema"):
            self.server.add_schema(schema)
        service = self.server.service
        service.links = values.get("links", service.links)
        service.overridden = values.get("overridden", service.overridden)
        tables = service.statements.tables
        tables.without_history = values.get("without_history", tables.without_history)
        files = self.server.files
        files.storage = values.get("storage", files.storage)
        files.link_seconds = values.get("link_seconds", files.link_seconds)
        service.arrow_schema = values.get("arrow_schema", service.arrow_schema)
        files.rows = values.get("file_rows", files.rows)
        files.answer_rows = values.get("answer_rows", files.answer_rows)
        self._send(200)

    def _send_json(self, value: object, code: int = 200) -> None:
        self._send(code, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(
        self,
        code: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        cut: bool = False,
    ) -> None:
        """Send a response; `cut`: only its first half, then reset the connection."""
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        """Close the connection so that the client sees a reset (SO_LINGER with 0 seconds)."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
