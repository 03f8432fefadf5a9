"""Convert Granian's ASGI scope into the WSGI environment that Django reads (PEP 3333)."""

import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

type Environ = dict[str, Any]
type Scope = dict[str, Any]

CONSTANT = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def from_scope(scope: Scope) -> Environ:
    """Return the WSGI environment of a request, without `wsgi.input`."""
    path, server, client = scope["raw_path"], scope["server"], scope["client"]
    environ = {
        **CONSTANT,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "REMOTE_ADDR": client[0],
        "wsgi.url_scheme": scope["scheme"],
    }
    for header, value in scope["headers"]:
        if name := _name(header):
            text = value.decode("latin-1")
            # Join repeated headers (RFC 9110, section 5.3; cookies by RFC 9113, section 8.2.3).
            # Granian refuses a request with two different lengths.
            if name in environ and name != "CONTENT_LENGTH":
                text = environ[name] + ("; " if name == "HTTP_COOKIE" else ",") + text
            environ[name] = text
    return environ


@lru_cache(1_024)
def _name(header: bytes) -> str:
    """The WSGI name of a header; "" for one with an underscore, which could pass for another."""
    name = header.decode("latin-1").replace("-", "_").upper()
    if b"_" in header:
        return ""
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
