"""In which letters a body is written: Django would decode it, and the address, by any charset."""

import codecs

from django.utils.http import parse_header_parameters

from .bodies import Refused
from .environ import Environ


def check(content_type: str) -> None:
    """Refused where a body is not said to be UTF-8, which is what all forms here are read as."""
    _, parameters = parse_header_parameters(content_type)
    charset = parameters.get("charset", "utf-8")
    if not _is_utf8(charset):
        raise Refused(415, f"charset={charset[:40]} is not read here. Send UTF-8.")


def forget_charset(environ: Environ) -> None:
    """Of a request that has no body: Django would decode the address by it."""
    if "CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ["CONTENT_TYPE"].partition(";")[0]


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False
