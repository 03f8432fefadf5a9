"""The request that Django sees of a question whose answer may be kept.

It is made of the question alone, so no other part of a client's request can change an answer that
others get. What is added of the client decides whether he is answered, and never with what.
"""

import io
import sys

from django.conf import settings

from flights.access.throttles import KEY, RATE_HEADERS

from .cache_key import SECURE_BY, Environ, Question

# Throttles count by these, the log names the request, and a client that has the answer gets a 304.
OF_THE_CLIENT = (
    *("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", KEY, RATE_HEADERS),
    *("airsense.request_id", "HTTP_IF_NONE_MATCH"),
)


def request(question: Question, environ: Environ) -> Environ:
    kept = {name: environ[name] for name in OF_THE_CLIENT if name in environ}
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": question.path,
        "QUERY_STRING": question.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443" if question.secure else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": _host(),
        "HTTP_ACCEPT": question.accept,
        **_scheme(question.secure),
        "wsgi.version": (1, 0),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **kept,
    }


def _host() -> str:
    """A host that Django takes. The client's was checked, and is no part of an answer."""
    first = next(iter(settings.ALLOWED_HOSTS), "*")
    return "localhost" if first == "*" else first.removeprefix(".")


def _scheme(secure: bool) -> Environ:
    """How Django sees whether the client came by https."""
    trusted = {SECURE_BY[0]: SECURE_BY[1]} if secure and SECURE_BY else {}
    return {"wsgi.url_scheme": "https" if secure else "http", **trusted}
