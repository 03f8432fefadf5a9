"""Who may send a large body: a signed-in user with the right, to the one page that takes files."""

import io
import tempfile
from importlib import import_module
from typing import IO

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, close_old_connections
from django.urls import reverse

from airsense.gateway.cache_key import Environ

from .bodies import Refused

RIGHT = "transfers.run_warehousejob"
SESSIONS = import_module(settings.SESSION_ENGINE)


def is_upload(environ: Environ) -> bool:
    page = reverse("admin:transfers_warehousejob_ingest")
    return bool(environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == page)


def is_allowed(environ: Environ) -> bool:
    """Whether the session is one of somebody who may; the body is not looked at."""
    request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
    request.session = SESSIONS.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    try:
        user = get_user(request)
        return bool(user.is_active and user.is_staff and user.has_perm(RIGHT))
    except DatabaseError:
        raise Refused(503, "The database does not answer at the moment.") from None
    finally:
        close_old_connections()  # as Django does at the end of a request, which this is none of


def file() -> IO[bytes]:
    """In the data folder, without a name: it ends with the request, or with this process."""
    try:
        return tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)
    except OSError as error:
        raise Refused(507, f"The file cannot be stored here: {error.strerror}.") from None
