"""Store export files in a folder of this machine, from which the web server sends them."""

import contextlib
from datetime import datetime
from urllib.parse import urlencode

from django.core.files.storage import FileSystemStorage
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from flights.models import Export

SALT = "flights.exports"


class Folder(FileSystemStorage):
    """A Django storage with the same methods as `bucket.Bucket`."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with contextlib.suppress(FileNotFoundError):  # the first export creates the folder
            return super().listdir(path)
        return [], []

    def remove_unfinished(self, before: datetime) -> None:
        """Do nothing: `retention.remove_orphans` removes unfinished files like other orphans."""

    def link(self, export: Export, until: datetime) -> str:
        """A relative download URL with its expiry time (seconds since 1970) and a signature."""
        expires = int(until.timestamp())
        signature = _sign(export, expires).rpartition(":")[2]
        query = urlencode({"expires": expires, "signature": signature})
        return f"{reverse('export_file', args=[export.pk])}?{query}"


def is_signed(export_id: object, expires: str, signature: str) -> bool:
    """Whether `link` made this export's signature for `expires`. Does not check the time."""
    try:
        Signer(salt=SALT).unsign(f"{export_id} {expires}:{signature}")
    except BadSignature:
        return False
    return True


def _sign(export: Export, expires: int) -> str:
    return Signer(salt=SALT).sign(f"{export.pk} {expires}")
