"""Storage of exports in a folder, for a platform on one machine; our web server sends them."""

import contextlib
from datetime import datetime
from urllib.parse import urlencode

from django.core.files.storage import FileSystemStorage
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from flights.models import Export

SALT = "flights.exports"


class Folder(FileSystemStorage):
    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with contextlib.suppress(FileNotFoundError):  # no export was made yet
            return super().listdir(path)
        return [], []

    def remove_halves(self, before: datetime) -> None:
        """Nothing to do: an unfinished file is an ordinary file without an export."""

    def link(self, export: Export, until: datetime) -> str:
        """A signed, relative URL, as all links of the API are relative."""
        expires = int(until.timestamp())
        signature = _signed(export, expires).rpartition(":")[2]
        query = urlencode({"expires": expires, "signature": signature})
        return f"{reverse('export_file', args=[export.pk])}?{query}"


def is_signed(export_id: object, expires: str, signature: str) -> bool:
    """Whether we signed this link, expired or not."""
    try:
        Signer(salt=SALT).unsign(f"{export_id} {expires}:{signature}")
    except BadSignature:
        return False
    return True


def _signed(export: Export, expires: int) -> str:
    return Signer(salt=SALT).sign(f"{export.pk} {expires}")
