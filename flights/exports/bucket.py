"""Store export files in an S3-compatible bucket, from which clients download them directly."""

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

MAX_LINK_AGE = timedelta(days=7)  # S3's limit for presigned URLs


@contextmanager
def as_os_error() -> Iterator[None]:
    """Raise errors of the bucket as OSError, so that callers treat a bucket like a folder."""
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise OSError(f"The bucket of exports failed: {error}") from error


class Bucket(S3Storage):
    """A Django storage. All methods raise OSError if the bucket fails."""

    def get_default_settings(self) -> dict[str, Any]:
        """Limit the time of requests, and upload in one thread, with one 8 MiB part in memory."""
        limits = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 3}}
        return {
            **super().get_default_settings(),
            "transfer_config": TransferConfig(use_threads=False),
            "client_config": Config(signature_version="s3v4", **limits),
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

    def remove_unfinished(self, before: datetime) -> None:
        """Abort multipart uploads that began before a time and never finished.

        Their parts take space, although listings do not show them.
        """
        with as_os_error():
            for upload in self.bucket.multipart_uploads.filter(Prefix=f"{self.location}/"):
                if upload.initiated < before:
                    upload.abort()

    def link(self, export: Export, until: datetime) -> str:
        """A presigned download URL that expires at `until`, or earlier after `MAX_LINK_AGE`."""
        headers = {
            "ResponseContentDisposition": f'attachment; filename="{export.filename}"',
            "ResponseContentType": FORMATS[export.format].content_type,
        }
        seconds = min(until - timezone.now(), MAX_LINK_AGE).total_seconds()
        return str(self.url(export.stored, headers, expire=max(1, int(seconds))))
