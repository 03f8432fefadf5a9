"""Serve Redoc's script with our logo instead of one that it would load from another host."""

from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.views.decorators.cache import cache_control

SCRIPT = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
REMOTE_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@cache_control(public=True, max_age=3600)
def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@lru_cache
def _script() -> bytes:
    path = finders.find(SCRIPT)
    assert isinstance(path, str), f"{SCRIPT} is missing"
    return Path(path).read_bytes().replace(REMOTE_LOGO.encode(), static("airsense.svg").encode())
