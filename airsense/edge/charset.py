"""Accept only UTF-8. Django would decode the body and the query by any charset of the request."""

import codecs

from django.utils.http import parse_header_parameters

from .bodies import RefusedBody
from .environ import Environ


def check(content_type: str) -> None:
    """Raise RefusedBody (415) if the Content-Type names a charset other than UTF-8."""
    _, parameters = parse_header_parameters(content_type)
    charset = parameters.get("charset", "utf-8")
    if not _is_utf8(charset):
        raise RefusedBody(415, f"charset={charset[:40]} is not supported. Send UTF-8.")


def drop_charset(environ: Environ) -> None:
    """Remove the charset of a request without a body: Django would decode the query by it."""
    if "CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ["CONTENT_TYPE"].partition(";")[0]


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False
