"""Redoc's script as it comes, but for a picture that it would load from another host."""

from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.views.decorators.cache import cache_control

SCRIPT = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
ELSEWHERE = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@cache_control(public=True, max_age=3600)
def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_own(), content_type="text/javascript; charset=utf-8")


@lru_cache
def _own() -> bytes:
    found = finders.find(SCRIPT)
    assert isinstance(found, str), f"{SCRIPT} is missing"
    return Path(found).read_bytes().replace(ELSEWHERE.encode(), static("airsense.svg").encode())
