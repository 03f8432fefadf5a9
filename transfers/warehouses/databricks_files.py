"""Read the connector's result files batch by batch.

The connector decompresses whole files and has up to three of them in memory: 330 MB for files of
300,000 flights. Here the files stay compressed, and Arrow decompresses a batch when it is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from databricks.sql import utils


@contextmanager
def _decompressing() -> Iterator[None]:
    """Raise ArrowInvalid instead of OSError, which would look like a fault of the network."""
    try:
        yield
    except OSError as error:
        raise pa.ArrowInvalid(str(error)) from error


class ResultFile:
    """The rows of a compressed file, with those methods of `pa.Table` that the connector calls."""

    def __init__(self, content: bytes, rows: int, description: Any) -> None:
        stream = pa.CompressedInputStream(pa.BufferReader(content), "lz4")
        self.num_rows = rows
        with _decompressing():
            self._reader = pa.ipc.open_stream(stream)
        self._rest = self._reader.schema.empty_table()
        self._description = description

    def __len__(self) -> int:
        return self.num_rows

    def slice(self, offset: int, length: int) -> pa.Table:
        """Return the next rows. The connector reads in order, so `offset` is where it stopped."""
        while self._rest.num_rows < length:
            with _decompressing():
                batches = [*self._rest.to_batches(), next(self._reader, None)]
            assert batches[-1] is not None, "a result file has fewer rows than announced"
            self._rest = pa.Table.from_batches(batches)
        rows, self._rest = self._rest.slice(0, length), self._rest.slice(length)
        return utils.convert_decimals_in_arrow_table(rows, self._description)


class ResultFiles(utils.ThriftCloudFetchQueue):
    """The files of a result."""

    def __init__(self, *, lz4_compressed: bool, **options: Any) -> None:
        self._compressed = lz4_compressed
        super().__init__(lz4_compressed=False, **options)  # it must not decompress, too

    def _create_table_at_offset(self, offset: int) -> Any:
        if not self._compressed:
            return super()._create_table_at_offset(offset)
        file = self.download_manager.get_next_downloaded_file(offset)
        return file and ResultFile(file.file_bytes, file.row_count, self.description)


# The connector looks for its class under this name.
utils.ThriftCloudFetchQueue = ResultFiles  # type: ignore[misc, assignment]
