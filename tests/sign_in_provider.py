"""An OpenID Connect provider for tests: discovery, keys, authorization code with PKCE, ID tokens.

It signs in the person that `person` describes without a login page, as a provider does that has a
session. `claims` and `key` make its ID tokens invalid.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "airsense", "of the client"
_KEY = RSAKey.generate_key(2048, {"kid": "present", "use": "sig", "alg": "RS256"})


class Provider(ThreadingHTTPServer):
    """The server's state: the person that signs in, and how its ID tokens are made invalid."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.codes: dict[str, dict[str, str]] = {}  # parameters of the authorization, by code
        self.heal()

    def heal(self) -> None:
        self.person: dict[str, Any] = {"sub": "1"}
        self.claims: dict[str, Any] = {}  # replace those of a right token; None removes one
        self.key = _KEY
        self.published = [_KEY]
        self.breaks_off = False
        self.verifier = ""  # replaces the one that a client sends

    def id_token(self, nonce: str, access_token: str) -> str:
        now = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {**right, "at_hash": _base64(half), **self.person, **self.claims}
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, present, self.key)


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(self._metadata())
        elif parts.path == "/keys":
            self._json({"keys": [key.as_dict(private=False) for key in self.server.published]})
        elif parts.path == "/authorize":
            self._authorize(dict(parse_qsl(parts.query)))
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        if self.server.breaks_off:
            self.connection.close()
            return
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = dict(parse_qsl(body))
        authorized = self.server.codes.pop(sent.get("code", ""), None)  # a code works once
        if self.path != "/token" or not self._is_client() or authorized is None:
            return self._json({"error": "invalid_grant"}, 400)
        verifier = self.server.verifier or sent["code_verifier"]
        challenge = _base64(hashlib.sha256(verifier.encode()).digest())
        if challenge != authorized["code_challenge"]:
            return self._json({"error": "invalid_grant"}, 400)
        assert sent["redirect_uri"] == authorized["redirect_uri"]
        access_token = secrets.token_urlsafe()
        id_token = self.server.id_token(authorized["nonce"], access_token)
        return self._json(
            {"access_token": access_token, "token_type": "Bearer", "id_token": id_token}
        )

    def _metadata(self) -> dict[str, Any]:
        issuer = self.server.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def _authorize(self, query: dict[str, str]) -> None:
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe()
        self.server.codes[code] = query
        back = urlencode({"code": code, "state": query["state"]})
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{back}")
        self.end_headers()

    def _is_client(self) -> bool:
        _, _, sent = self.headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(sent).decode().partition(":")
        return (name, unquote(secret)) == (CLIENT, SECRET)

    def _json(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Write no log."""


@contextmanager
def running() -> Iterator[Provider]:
    with Provider() as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        try:
            yield provider
        finally:
            provider.shutdown()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
