"""Let anonymous visitors share a page for a second, so that many of them cost as much as one."""

import hashlib
import threading
import time
from collections.abc import Callable
from functools import wraps

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

type View = Callable[[HttpRequest], HttpResponse]

FRESH = 1.0  # seconds for which everybody gets the same page
STALE = 10  # seconds for which the others get it while one request makes a new one


def for_a_second(view: View) -> View:
    """Decorator: store the page by its address; requests with cookies or a body are left out."""
    renewing = threading.Lock()

    @wraps(view)
    def shared(request: HttpRequest) -> HttpResponse:
        if request.COOKIES or request.method == "POST":
            return view(request)
        key = hashlib.sha256(request.get_full_path().encode()).hexdigest()
        content, since = cache.get(key, (None, 0.0))
        is_fresh = time.monotonic() - since < FRESH
        if content and (is_fresh or not renewing.acquire(blocking=False)):
            return HttpResponse(content)
        try:
            response = view(request)
        finally:
            if content:
                renewing.release()
        if response.status_code == 200:
            cache.set(key, (response.content, time.monotonic()), STALE)
        return response

    return shared
