"""Results on the wire: Arrow batches in the answer, or links to files of them, LZ4 or plain."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import lz4.frame
import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as t

from . import types

# Small, so that results of tests have several of each.
BATCH_ROWS, FILES_AT_ONCE = 20_000, 4
LINK_SECONDS = 900


@dataclass
class File:
    content: bytes
    expires: float


class Files:
    """What links lead to."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self.rows = 50_000  # of each
        self.answer_rows = 1 << 60  # of an answer without links

    def add(self, content: bytes, expires: float) -> str:
        name = uuid.uuid4().hex
        self._files[name] = File(content, expires)
        return name

    def get(self, name: str) -> File | None:
        return self._files.get(name)

    def forget(self, names: list[str]) -> None:
        for name in names:
            self._files.pop(name, None)


class Result:
    """The rows of one statement, given out once, in order."""

    def __init__(
        self, reader: pa.RecordBatchReader, *, files: Files, url: str, links: bool, lz4: bool
    ) -> None:
        self.schema = pa.schema([(f.name, types.arrow(f.type)) for f in reader.schema])
        self._files, self._url, self.lz4 = files, url, lz4
        self._batches = self._typed(reader)
        self._held: deque[pa.RecordBatch] = deque()
        self._offset, self._made = 0, list[str]()
        self._lock = threading.Lock()
        self.link_seconds = float(LINK_SECONDS)
        self.links = links and self._hold(BATCH_ROWS + 1)

    def _typed(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [c.cast(f.type) for c, f in zip(batch.columns, self.schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def break_rows(self, do: str) -> None:
        """Lose the last row, or repeat the first batch."""
        self._hold(1 << 60)
        rows = list(self._held)
        rows = [*rows[:-1], rows[-1].slice(1)] if do == "short-read" else [rows[0], *rows]
        self._held = deque(rows)

    def next(self, rows: int, size: int) -> tuple[t.TRowSet, bool]:
        """Some rows, and whether there are more."""
        with self._lock:
            start = self._offset
            if self.links:
                found = [self._link() for _ in range(FILES_AT_ONCE) if self._hold(1)]
                rowset = t.TRowSet(startRowOffset=start, rows=[], resultLinks=found)
            else:
                most = min(rows, self._files.answer_rows)
                batches = [self._packed(batch) for batch in self._take(most, size)]
                rowset = t.TRowSet(startRowOffset=start, rows=[], arrowBatches=batches)
            return rowset, self._hold(1)

    def metadata(self, *, staging: bool) -> t.TGetResultSetMetadataResp:
        kind = "URL_BASED_SET" if self.links else "ARROW_BASED_SET"
        return t.TGetResultSetMetadataResp(
            status=t.TStatus(statusCode=t.TStatusCode.SUCCESS_STATUS),
            schema=types.thrift(self.schema),
            arrowSchema=self.schema.serialize().to_pybytes(),
            resultFormat=getattr(t.TSparkRowSetType, kind),
            lz4Compressed=self.lz4,
            isStagingOperation=staging,
        )

    def close(self) -> None:
        self._files.forget(self._made)

    def _hold(self, rows: int) -> bool:
        """Have so many rows at hand; whether there are so many."""
        held = sum(batch.num_rows for batch in self._held)
        while held < rows:
            batch = next(self._batches, None)
            if batch is None:
                return False
            if batch.num_rows:
                self._held.append(batch)
                held += batch.num_rows
        return True

    def _take(self, rows: int, size: int) -> Iterator[pa.RecordBatch]:
        while rows > 0 and size > 0 and self._hold(1):
            batch = self._held.popleft()
            if batch.num_rows > rows:
                self._held.appendleft(batch.slice(rows))
                batch = batch.slice(0, rows)
            self._offset += batch.num_rows
            rows, size = rows - batch.num_rows, size - batch.nbytes
            yield batch

    def _packed(self, batch: pa.RecordBatch) -> t.TSparkArrowBatch:
        content = batch.serialize().to_pybytes()
        packed = lz4.frame.compress(content) if self.lz4 else content
        return t.TSparkArrowBatch(batch=packed, rowCount=batch.num_rows)

    def _link(self) -> t.TSparkArrowResultLink:
        start, sink = self._offset, pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as out:
            for batch in self._take(self._files.rows, 1 << 60):
                out.write_batch(batch)
        content = sink.getvalue().to_pybytes()
        expires = time.time() + self.link_seconds
        name = self._files.add(lz4.frame.compress(content) if self.lz4 else content, expires)
        self._made.append(name)
        return t.TSparkArrowResultLink(
            fileLink=f"{self._url}/files/{name}?X-Amz-Signature=signed-link",
            expiryTime=int(expires),
            startRowOffset=start,
            rowCount=self._offset - start,
            bytesNum=len(content),
            httpHeaders={},
        )
