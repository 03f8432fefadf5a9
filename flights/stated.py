"""What every answer states: the versions that it is of, and an ETag of them and the query."""

import hashlib
from collections.abc import Iterable

from rest_framework.request import Request

from .models import TableVersion


def headers(request: Request, of: Iterable[TableVersion], form: str = "") -> dict[str, str]:
    """`form` is what else the bytes depend on. A version's rows never change, so caches may ask."""
    versions = list(of)
    names = ", ".join(map(str, versions))
    digests = " ".join(version.digest for version in versions)
    asked = f"{request.path}?{request.META.get('QUERY_STRING', '')}"
    wanted = f"{digests} {asked} {request.accepted_renderer.media_type} {form}"
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:16]
    return {
        "ETag": f'"{names.replace(", ", "+")}/{digest}"',
        "X-AirSense-Version": names,
        "Cache-Control": "public, no-cache",
    }


def unchanged(request: Request, told: dict[str, str]) -> bool:
    """Whether the client has this answer already."""
    return told["ETag"] in request.headers.get("If-None-Match", "")
