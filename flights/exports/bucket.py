"""Storage of exports in S3-compatible object storage, from which clients download.

Errors of the storage are raised as OSError, like those of a folder.
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

LONGEST_LINK = timedelta(days=7)  # S3's limit for a signed URL


@contextmanager
def as_os_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise OSError(f"the bucket of exports: {error}") from error


class Bucket(S3Storage):
    def get_default_settings(self) -> dict[str, Any]:
        """Upload in one thread, so that only one part of 8 MiB is in memory."""
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
        """Abort unfinished uploads: their parts take space, although no listing shows them."""
        with as_os_error():
            for upload in self.bucket.multipart_uploads.filter(Prefix=f"{self.location}/"):
                if upload.initiated < before:
                    upload.abort()

    def link(self, export: Export, until: datetime) -> str:
        headers = {
            "ResponseContentDisposition": f'attachment; filename="{export.filename}"',
            "ResponseContentType": FORMATS[export.format].content_type,
        }
        seconds = min(until - timezone.now(), LONGEST_LINK).total_seconds()
        return str(self.url(export.stored, headers, expire=max(1, int(seconds))))
