"""Allow large bodies only for uploads: one page of the admin, and users who may ingest files."""

import io
import tempfile
from importlib import import_module
from typing import IO

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, close_old_connections
from django.urls import reverse

from airsense.gateway.cache_key import Environ
from airsense.sign_in import second_factor

from .bodies import RefusedBody

PERMISSION = "transfers.run_warehousejob"
SESSIONS = import_module(settings.SESSION_ENGINE)


def is_upload(environ: Environ) -> bool:
    """Whether a request submits the admin's upload form."""
    page = reverse("admin:transfers_warehousejob_ingest")
    return bool(environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == page)


def is_allowed(environ: Environ) -> bool:
    """Whether the session's user may ingest files. Does not read the body.

    Raises RefusedBody (503) if the database does not respond.
    """
    request = WSGIRequest({**environ, "wsgi.input": io.BytesIO()})
    request.session = SESSIONS.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    try:
        user = second_factor.user(request)
        return bool(user.is_active and user.is_staff and user.has_perm(PERMISSION))
    except DatabaseError:
        raise RefusedBody(503, "The database does not respond at the moment.") from None
    finally:
        close_old_connections()  # Django does this only at the end of a real request


def file() -> IO[bytes]:
    """Open an unnamed file in the data folder, which disappears when it is closed.

    Raises RefusedBody (507) if the disk is full.
    """
    try:
        return tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)
    except OSError as error:
        raise RefusedBody(507, f"The file cannot be stored: {error.strerror}.") from None
