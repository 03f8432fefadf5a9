"""One log line for a request: route, status, duration, version, user. Never its query or address.

Clients could fill the disk, so a process writes at most LOG_REQUESTS_PER_SECOND lines in a second
for each class of status: a flood of 404 hides no 500.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject, empty

from . import routes

log = logging.getLogger("airsense.requests")

USER = "airsense.user"  # key of the WSGI environment
VERSION = "x-airsense-version"
SLOW = 1.0  # seconds
PROBES = {"/healthz", "/readyz"}  # sent every few seconds; only their failures are of interest

type Headers = Iterable[tuple[str, str]]
type View = Callable[[HttpRequest], HttpResponseBase]


class AccessLog:
    """Writes the lines of a web process."""

    def __init__(self) -> None:
        self.selection: str = settings.LOG_REQUESTS
        self.hits = self.selection == "all"
        self._written, self._left_out = Counter[str](), 0
        self._second = 0
        self._lock = threading.Lock()

    def write(
        self, environ: dict[str, Any], status: str, headers: Headers, seconds: float, **fields: str
    ) -> None:
        """Log a request with the status and the headers of its response.

        `fields` are further fields of the line: `route`, `cache`, `request_id`.
        """
        is_probe = environ["PATH_INFO"] in PROBES and status < "400"
        if is_probe or not (self._wants(status, seconds) and self._allows(status[0])):
            return
        method, code = routes.method(environ["REQUEST_METHOD"]), int(status[:3])
        version = next((value for name, value in headers if name.lower() == VERSION), "")
        values = {
            "method": method,
            "status": code,
            "duration": round(seconds, 6),
            "version": version,
            "table": "" if "," in version else version.partition("/")[0],
            "user": environ.get(USER, ""),
            **fields,
        }
        line = "%s %s %d %s %.3f s %s"
        args = (method, fields["route"], code, fields["cache"], seconds, version or "-")
        log.info(line, *args, extra=values)

    def _wants(self, status: str, seconds: float) -> bool:
        if self.selection == "errors":
            return status >= "500" or seconds >= SLOW
        return self.selection != "none"

    def _allows(self, kind: str) -> bool:
        with self._lock:
            if (second := int(time.monotonic())) != self._second:
                left_out, self._left_out, self._second = self._left_out, 0, second
                self._written.clear()
                if left_out:
                    line = "Left out %d lines about requests within a second."
                    log.info(line, left_out, extra={"request_id": "-", "route": ""})
            self._written[kind] += 1
            allowed = self._written[kind] <= settings.LOG_REQUESTS_PER_SECOND
            self._left_out += not allowed
            return allowed


def note_user(get_response: View) -> View:
    """Middleware: put the user's name into the environment, if a view has looked it up."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        user = request.user
        is_unknown = isinstance(user, SimpleLazyObject) and user._wrapped is empty
        if not is_unknown and user.is_authenticated:
            request.META[USER] = user.get_username()
        return response

    return middleware
