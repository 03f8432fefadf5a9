"""Which requests ask the same: path, canonical query and representation, in one key."""

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from flights.exports.packing import accepts

type Environ = dict[str, Any]

PREFIX = "/api/"
OWN = "/api/exports/"  # of who asks, by key, too
PAGES = ("/", "/explorer", "/about")
METHODS = ("GET", "HEAD")
# What is longer is Django's alone. With it the memory of spellings is bounded, to about 25 MB of
# the longest; usual ones need 5 MB.
LONGEST, SPELLINGS = 1_024, 8_192
PARAMETERS = 100


class Question(NamedTuple):
    key: str
    query: str  # parameters by name, in one spelling
    gzip: bool  # whether the client reads it


def read(environ: Environ) -> Question | None:
    """What a request asks; None where the answer is not the same for everybody, or not kept."""
    path = environ["PATH_INFO"]
    if (
        not (path.startswith(PREFIX) or path in PAGES)
        or path.startswith(OWN)
        or environ["REQUEST_METHOD"] not in METHODS
        or _personal(environ)
        or _is_redirected(environ)
    ):
        return None
    spelling = (
        path,
        environ["QUERY_STRING"],
        environ.get("HTTP_ACCEPT", "*/*"),
        environ.get("HTTP_ACCEPT_ENCODING", ""),
        environ.get("HTTP_HOST", ""),
    )
    return _question(*spelling) if sum(map(len, spelling)) <= LONGEST else None


def _personal(environ: Environ) -> bool:
    return "HTTP_AUTHORIZATION" in environ or (
        "HTTP_COOKIE" in environ and settings.SESSION_COOKIE_NAME in environ["HTTP_COOKIE"]
    )


def _is_redirected(environ: Environ) -> bool:
    """Whether Django leads the client to https, instead of what others get there."""
    by_https = environ.get("HTTP_X_FORWARDED_PROTO") == "https"
    return bool(settings.SECURE_SSL_REDIRECT and not by_https)


@lru_cache(SPELLINGS)  # 0.3 us instead of 20
def _question(path: str, query: str, accept: str, encoding: str, host: str) -> Question | None:
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return None  # Django refuses it
    canonical = _canonical(query)
    if canonical is None:
        return None
    if path in PAGES:
        canonical = query  # an explorer shows its address as it was written
    gzip = accepts(encoding, "gzip")
    return Question(f"{path}?{canonical} {gzip} {accept}", canonical, gzip)


def _canonical(query: str) -> str | None:
    """The same parameters in one order and spelling, read as Django reads them; None if not."""
    try:
        given = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS)
    except ValueError:
        return None
    # Values of one name stay in their order: only names are sorted.
    spelled = urlencode(sorted(given, key=lambda pair: pair[0]))
    return spelled if query.isascii() and len(spelled) <= LONGEST else None
