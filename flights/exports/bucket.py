"""Exports kept in object storage that speaks S3; clients download from there.

The only module that knows it. What goes wrong there is an OSError, as it is with a folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils import timezone
from storages.backends.s3 import S3Storage

from flights.models import Export

from .formats import FORMATS

LONGEST_LINK = timedelta(days=7)  # S3 signs for no longer


@contextmanager
def as_os_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise OSError(f"the bucket of exports: {error}") from error


class Bucket(S3Storage):
    def get_default_settings(self) -> dict[str, Any]:
        """Files are written from one thread: one part of 8 MiB is in memory, whatever the file."""
        patience = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 3}}
        return {
            **super().get_default_settings(),
            "transfer_config": TransferConfig(use_threads=False),
            "client_config": Config(signature_version="s3v4", **patience),
        }

    def _save(self, name: str, content: Any) -> str:
        with as_os_error():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with as_os_error():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with as_os_error():
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with as_os_error():
            directories, files = super().listdir(name)
            return directories, files

    def get_modified_time(self, name: str) -> datetime:
        with as_os_error():
            modified: datetime = super().get_modified_time(name)
            return modified

    def remove_halves(self, before: datetime) -> None:
        """Give up the uploads that nobody ended: their parts take space that no list shows."""
        with as_os_error():
            for upload in self.bucket.multipart_uploads.filter(Prefix=f"{self.location}/"):
                if upload.initiated < before:
                    upload.abort()

    def link(self, export: Export, until: datetime) -> str:
        shown = {
            "ResponseContentDisposition": f'attachment; filename="{export.filename}"',
            "ResponseContentType": FORMATS[export.format].content_type,
        }
        seconds = min(until - timezone.now(), LONGEST_LINK).total_seconds()
        return str(self.url(export.stored, shown, expire=max(1, int(seconds))))
