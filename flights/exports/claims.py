"""One attempt at a file, and how far it is."""

import hashlib
import io
import logging
import threading
from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, connection, models
from django.utils import timezone

from flights import tables
from flights.errors import BadQuery, Gone
from flights.models import Export, TableVersion

from . import service
from .copy_out import Copying, Stopped

HEARTBEAT = 1.0  # seconds
NOT_KEPT = "Its version is not kept any more. Ask again."
log = logging.getLogger(__name__)


class Attempt:
    """One attempt at an export, which tells its row how far it is while the block runs."""

    def __init__(self, export: Export) -> None:
        self.export, self.digest = export, hashlib.sha256()
        self.lost = threading.Event()  # somebody else ended this attempt
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        others = Export.objects.exclude(pk=self.export.pk)
        kept = others.filter(status__in=[Export.Status.RUNNING, Export.Status.DONE])
        self.room = settings.EXPORTS_MAX_BYTES - (
            kept.aggregate(all=models.Sum("bytes"))["all"] or 0
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def chunks(self) -> Generator[bytes]:
        export = self.export
        version = TableVersion.objects.filter(table=export.table, number=export.number).first()
        if version is None:
            raise Gone(NOT_KEPT)
        model = tables.by_name(export.table)
        file = service.file(model, export.query, export.format, version)
        with Counted(self) as copying:
            export.rows_total = file.number(copying)
            file.format.check(export.rows_total)
            for chunk in file.chunks(copying):
                self.wrote(chunk)
                yield chunk

    def read(self, rows: bytes) -> None:
        done = self.export.rows_done + rows.count(b"\n")  # a text can hold line breaks
        self.export.rows_done = min(done, self.export.rows_total or 0)

    def wrote(self, chunk: bytes) -> None:
        self.check()
        self.digest.update(chunk)
        self.export.bytes += len(chunk)
        if self.export.bytes > self.room:
            raise BadQuery(
                f"All exports together may have {settings.EXPORTS_MAX_BYTES >> 20:,} MiB. Ask for"
                " less, or wait until others expire."
            )

    def check(self) -> None:
        if self.lost.is_set():
            raise Stopped

    def end(self) -> None:
        now = timezone.now()
        self.export.rows_done = self.export.rows_total or 0
        done = self._tell(
            status=Export.Status.DONE,
            digest=self.digest.hexdigest(),
            error="",
            finished_at=now,
            expires_at=now + timedelta(hours=settings.EXPORTS_KEPT_HOURS),
        )
        if not done:
            raise Stopped

    def _beat(self) -> None:
        """The rows are told by a thread, as the other one may wait for the database or storage."""
        try:
            while not self._ended.wait(HEARTBEAT):
                try:
                    if not self._tell():
                        self.lost.set()
                except DatabaseError as error:
                    log.warning("no heartbeat: %s", error)
                    connection.close()
        finally:
            connection.close()

    def _tell(self, **more: Any) -> int:
        export = self.export
        mine = Export.objects.filter(pk=export.pk, claim=export.claim, status=Export.Status.RUNNING)
        return mine.update(
            heartbeat_at=timezone.now(),
            rows_done=export.rows_done,
            rows_total=export.rows_total,
            bytes=export.bytes,
            **more,
        )


class Counted(Copying):
    """Tells an attempt of the rows that PostgreSQL has given."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.lost)
        self.attempt = attempt

    def rows(self, statement: str, values: Any) -> Iterator[bytes]:
        for chunk in super().rows(statement, values):
            self.attempt.read(chunk)
            yield chunk


class Reading(io.RawIOBase):
    """Chunks as a file that storages read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.left = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.left:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.left = memoryview(chunk)
        taken = min(len(buffer), len(self.left))
        buffer[:taken] = self.left[:taken]
        self.left = self.left[taken:]
        return taken
