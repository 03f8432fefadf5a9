"""Which requests ask the same: path, canonical query and representation, in one key."""

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from flights.exports import FORMATS
from flights.exports.compression import accepts

from . import accept_header

type Environ = dict[str, Any]

PREFIX = "/api/"
OWN = "/api/exports/"  # of who asks, by key, too
PAGES = ("/", "/explorer", "/about")
METHODS = ("GET", "HEAD")
# What is longer is Django's alone. With it the memory of spellings is bounded, to about 25 MB of
# the longest; usual ones need 5 MB.
LONGEST, SPELLINGS = 1_024, 8_192
PARAMETERS = 100
SECURE_BY: tuple[str, str] | None = settings.SECURE_PROXY_SSL_HEADER  # a header, and its value


class Question(NamedTuple):
    """All that an answer depends on, and so the key under which it is kept."""

    path: str
    query: str  # parameters by name, in one spelling
    accept: str  # `media.accepted`
    gzip: bool  # whether the client reads it
    secure: bool  # whether the client came by https
    file: bool  # whether the answer is a file, which is sent as it is read and never kept


def read(environ: Environ) -> Question | None:
    """What a request asks; None where the answer is not the same for everybody, or not kept."""
    path, secure = environ["PATH_INFO"], _secure(environ)
    if (
        not (path.startswith(PREFIX) or path in PAGES)
        or path.startswith(OWN)
        or environ["REQUEST_METHOD"] not in METHODS
        or _personal(environ)
        or (settings.SECURE_SSL_REDIRECT and not secure)  # Django leads the client to https
    ):
        return None
    spelling = (
        path,
        environ["QUERY_STRING"],
        environ.get("HTTP_ACCEPT", accept_header.ANYTHING),
        environ.get("HTTP_ACCEPT_ENCODING", ""),
        environ.get("HTTP_HOST", ""),
    )
    return _question(*spelling, secure) if sum(map(len, spelling)) <= LONGEST else None


def _personal(environ: Environ) -> bool:
    return "HTTP_AUTHORIZATION" in environ or (
        "HTTP_COOKIE" in environ and settings.SESSION_COOKIE_NAME in environ["HTTP_COOKIE"]
    )


def _secure(environ: Environ) -> bool:
    """As Django reads it: what the trusted header says, or else how the client came here."""
    if SECURE_BY and (header := environ.get(SECURE_BY[0])):
        return bool(header.split(",")[0].strip() == SECURE_BY[1])
    return bool(environ["wsgi.url_scheme"] == "https")


@lru_cache(SPELLINGS)  # 0.3 us instead of 20
def _question(
    path: str, query: str, accept: str, encoding: str, host: str, secure: bool
) -> Question | None:
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None  # Django refuses it
    parameters = _parameters(query)
    if parameters is None:
        return None
    spelled = urlencode(parameters)
    if path in PAGES:
        spelled = query  # an explorer shows its address as it was written
    if len(spelled) > LONGEST:
        return None
    accepted, file = accept_header.accepted(accept), _is_file(parameters, accept)
    return Question(path, spelled, accepted, accepts(encoding, "gzip"), secure, file)


def _parameters(query: str) -> list[tuple[str, str]] | None:
    """Parameters sorted by name, as Django reads them; None where it refuses them.

    Values of one name stay in their order.
    """
    if not query.isascii():
        return None
    try:
        read = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict")
    except ValueError:  # there are too many, or they are not UTF-8
        return None
    return sorted(read, key=lambda pair: pair[0])


def _is_file(parameters: list[tuple[str, str]], accept: str) -> bool:
    named = any(name == "format" and value in FORMATS for name, value in parameters)
    return named or any(format_.media_type in accept for format_ in FORMATS.values())
