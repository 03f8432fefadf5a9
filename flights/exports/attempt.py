"""One attempt to make an export's file, with its progress."""

import hashlib
import io
import threading
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from flights import claims, tables
from flights.errors import BadQuery, Gone
from flights.models import Export, TableVersion

from . import service
from .copy_out import CopyReader, Stopped

VERSION_REMOVED = "Its version was removed. Request the export again."


class Attempt:
    """Makes the chunks of a claimed export's file, and writes its progress with each heartbeat.

    Raises Stopped as soon as this process has lost the export.
    """

    def __init__(self, export: Export) -> None:
        self.export, self.digest = export, hashlib.sha256()
        self.lost = threading.Event()  # another process gave this attempt up
        self._heartbeat = claims.Heartbeat(self._beat)

    def __enter__(self) -> Self:
        with_file = Export.objects.filter(status__in=[Export.Status.RUNNING, Export.Status.DONE])
        used = with_file.exclude(pk=self.export.pk).aggregate(bytes=models.Sum("bytes"))["bytes"]
        self.bytes_left = settings.EXPORTS_MAX_BYTES - (used or 0)
        self._heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.__exit__()

    def chunks(self) -> Generator[bytes]:
        """The file's bytes. Gone if the version was removed, BadQuery if the file is too large."""
        export = self.export
        version = TableVersion.objects.filter(table=export.table, number=export.number).first()
        if version is None:
            raise Gone(VERSION_REMOVED)
        model = tables.by_name(export.table)
        file = service.file(model, export.query, export.format, version)
        with CountedCopyReader(self) as reader:
            export.rows_total = file.number(reader)
            file.format.check(export.rows_total)
            for chunk in file.chunks(reader):
                self._count_bytes(chunk)
                yield chunk

    def count_rows(self, rows: bytes) -> None:
        """Count the rows that PostgreSQL sent; a text can contain a line break, so at most all."""
        done = self.export.rows_done + rows.count(b"\n")
        self.export.rows_done = min(done, self.export.rows_total or 0)

    def finish(self) -> None:
        """Mark the export as done; Stopped if this process has lost it."""
        self.export.rows_done = self.export.rows_total or 0
        done = self._write(
            status=Export.Status.DONE,
            digest=self.digest.hexdigest(),
            error="",
            finished_at=Now(),
            expires_at=Now() + timedelta(hours=settings.EXPORTS_KEPT_HOURS),
        )
        if not done:
            raise Stopped

    def _count_bytes(self, chunk: bytes) -> None:
        if self.lost.is_set():
            raise Stopped
        self.digest.update(chunk)
        self.export.bytes += len(chunk)
        if self.export.bytes > self.bytes_left:
            raise BadQuery(
                f"All exports together may have {settings.EXPORTS_MAX_BYTES >> 20:,} MiB. Ask for"
                " less, or wait until others expire."
            )

    def _beat(self) -> None:
        if not self._write():
            self.lost.set()

    def _write(self, **values: Any) -> bool:
        export = self.export
        return claims.beat(
            export,
            rows_done=export.rows_done,
            rows_total=export.rows_total,
            bytes=export.bytes,
            **values,
        )


class CountedCopyReader(CopyReader):
    """Reads rows from PostgreSQL and reports them to an attempt."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.lost)
        self.attempt = attempt

    def rows(self, statement: str, values: Any) -> Iterator[bytes]:
        for chunk in super().rows(statement, values):
            self.attempt.count_rows(chunk)
            yield chunk


class ChunkReader(io.RawIOBase):
    """A readable file made of chunks, as storages expect."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.rest = memoryview(chunk)
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size
