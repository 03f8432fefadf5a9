"""Results as clients receive them: Arrow batches in the response, or links to files of batches.

Both are LZ4-compressed if the client supports it.
"""

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import lz4.frame
import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as t

from . import types

# Small, so that the results of tests have several batches and files.
BATCH_ROWS, LINKS_PER_RESPONSE = 20_000, 4
LINK_SECONDS = 900  # until a link expires
WRITERS = ThreadPoolExecutor(4)  # of the files that a client fetches next


@dataclass
class File:
    content: bytes
    expires: float  # seconds since 1970


class Files:
    """The files of results, by the name in their links."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self.rows = 50_000  # in each file
        self.answer_rows = 1 << 60  # in each response without links; practically unlimited
        self.storage = ""  # the URL of another server to which links lead
        self.link_seconds = float(LINK_SECONDS)

    def add(self, content: bytes, expires: float) -> str:
        name = uuid.uuid4().hex
        self._files[name] = File(content, expires)
        return name

    def get(self, name: str) -> File | None:
        return self._files.get(name)

    def remove(self, names: list[str]) -> None:
        for name in names:
            self._files.pop(name, None)


class Result:
    """The rows of one statement, which a client can fetch once, in order."""

    def __init__(
        self, reader: pa.RecordBatchReader, *, files: Files, url: str, links: bool, lz4: bool
    ) -> None:
        self.schema = pa.schema([(f.name, types.arrow(f.type)) for f in reader.schema])
        self._files, self._url, self.lz4 = files, url, lz4
        self._batches = self._cast(reader)
        self._buffer: deque[pa.RecordBatch] = deque()
        self._offset, self._file_names = 0, list[str]()
        self._lock = threading.Lock()
        self.link_seconds, self.arrow_schema = files.link_seconds, True
        self.links = links and self._fill(BATCH_ROWS + 1)
        self._written: Future[tuple[t.TRowSet, bool]] | None = None

    def _cast(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            columns = [c.cast(f.type) for c, f in zip(batch.columns, self.schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def break_rows(self, do: str) -> None:
        """Inject a fault: "short-read" loses a row, "repeated-read" repeats the first batch."""
        self._fill(1 << 60)
        batches = list(self._buffer)
        short = [*batches[:-1], batches[-1].slice(1)]
        self._buffer = deque(short if do == "short-read" else [batches[0], *batches])

    def next(self, rows: int, size: int) -> tuple[t.TRowSet, bool]:
        """Return at most `rows` rows of about `size` bytes, and whether more rows follow."""
        with self._lock:
            if self.links:
                return self._next_links()
            start, limit = self._offset, min(rows, self._files.answer_rows)
            batches = [self._pack(batch) for batch in self._take(limit, size)]
            row_set = t.TRowSet(startRowOffset=start, rows=[], arrowBatches=batches)
            return row_set, self._fill(1)

    def _next_links(self) -> tuple[t.TRowSet, bool]:
        """Return the next links. As in Databricks, the files after them are written meanwhile."""
        row_set, more = self._written.result() if self._written else self._write()
        self._written = WRITERS.submit(self._write) if more else None
        return row_set, more

    def _write(self) -> tuple[t.TRowSet, bool]:
        start = self._offset
        links = [self._link() for _ in range(LINKS_PER_RESPONSE) if self._fill(1)]
        return t.TRowSet(startRowOffset=start, rows=[], resultLinks=links), self._fill(1)

    def metadata(self, *, staging: bool) -> t.TGetResultSetMetadataResp:
        """Describe the columns and the format; `staging`: the client must transfer a file."""
        result_format = "URL_BASED_SET" if self.links else "ARROW_BASED_SET"
        return t.TGetResultSetMetadataResp(
            status=t.TStatus(statusCode=t.TStatusCode.SUCCESS_STATUS),
            schema=types.thrift(self.schema),
            arrowSchema=self.schema.serialize().to_pybytes() if self.arrow_schema else None,
            resultFormat=getattr(t.TSparkRowSetType, result_format),
            lz4Compressed=self.lz4,
            isStagingOperation=staging,
        )

    def close(self) -> None:
        wait([self._written] if self._written else [])
        self._files.remove(self._file_names)

    def _fill(self, rows: int) -> bool:
        """Read batches until the buffer has `rows` rows; return whether there are that many."""
        buffered = sum(batch.num_rows for batch in self._buffer)
        while buffered < rows:
            batch = next(self._batches, None)
            if batch is None:
                return False
            if batch.num_rows:
                self._buffer.append(batch)
                buffered += batch.num_rows
        return True

    def _take(self, rows: int, size: int) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most `rows` rows together; stop after `size` bytes."""
        while rows > 0 and size > 0 and self._fill(1):
            batch = self._buffer.popleft()
            if batch.num_rows > rows:
                self._buffer.appendleft(batch.slice(rows))
                batch = batch.slice(0, rows)
            self._offset += batch.num_rows
            rows, size = rows - batch.num_rows, size - batch.nbytes
            yield batch

    def _pack(self, batch: pa.RecordBatch) -> t.TSparkArrowBatch:
        content = batch.serialize().to_pybytes()
        data = lz4.frame.compress(content) if self.lz4 else content
        return t.TSparkArrowBatch(batch=data, rowCount=batch.num_rows)

    def _link(self) -> t.TSparkArrowResultLink:
        """Write the next file, and return a link to it."""
        start, sink = self._offset, pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as out:
            for batch in self._take(self._files.rows, 1 << 60):
                out.write_batch(batch)
        content = sink.getvalue().to_pybytes()
        expires = time.time() + self.link_seconds
        # As Databricks' files, it can consist of several frames.
        frames = [lz4.frame.compress(part) for part in (content[:1000], content[1000:], b"")]
        name = self._files.add(b"".join(frames) if self.lz4 else content, expires)
        self._file_names.append(name)
        return t.TSparkArrowResultLink(
            fileLink=f"{self._files.storage or self._url}/files/{name}?X-Amz-Signature=signed-link",
            expiryTime=int(expires),
            startRowOffset=start,
            rowCount=self._offset - start,
            bytesNum=len(content),
            httpHeaders={},
        )
