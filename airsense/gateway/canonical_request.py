"""Rebuild the request that Django answers from the cache key.

Only the key determines the response, so nothing else in a client's request can change (poison) what
other clients get. The few values copied from the client decide whether it gets a response or a 304
or 429, never the content.
"""

import io
import sys

from django.conf import settings

from flights.access.throttles import KEY, RATE_HEADERS, SCOPES

from . import cache_key
from .cache_key import SECURE_BY, CacheKey, Environ

PARAMETERS = "airsense.parameters"  # key of the environment: the parsed query of the key

# For rate limits, for the log's request id, and for 304 responses.
CLIENT_VALUES = (
    *("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", KEY, RATE_HEADERS),
    *("airsense.request_id", "HTTP_IF_NONE_MATCH"),
)


def request(key: CacheKey, environ: Environ) -> Environ:
    """Return a WSGI environment for `key`, with the CLIENT_VALUES of `environ`."""
    client_values = {name: environ[name] for name in CLIENT_VALUES if name in environ}
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": key.path,
        "QUERY_STRING": key.query,
        PARAMETERS: cache_key.parameters(environ["QUERY_STRING"]),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443" if key.secure else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": _host(),
        "HTTP_ACCEPT": key.accept,
        SCOPES: set[str](),
        **_scheme(key.secure),
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **client_values,
    }


def _host() -> str:
    """A host that Django accepts. The client's host was validated and is not in any response."""
    first = next(iter(settings.ALLOWED_HOSTS), "*")
    return "localhost" if first == "*" else first.removeprefix(".")


def _scheme(secure: bool) -> Environ:
    """The values by which Django decides whether the client uses https."""
    header = {SECURE_BY[0]: SECURE_BY[1]} if secure and SECURE_BY else {}
    return {"wsgi.url_scheme": "https" if secure else "http", **header}
