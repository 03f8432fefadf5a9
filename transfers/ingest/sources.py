"""What a reader of a format returns: an open file before its columns are checked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Rows:
    """Some unconverted rows of a file, and the place of each in the file: "line 7", "row 7"."""

    batch: pa.RecordBatch
    place: Callable[[int], str]


@dataclass(frozen=True)
class Shape:
    """Where the rows of a file are, and which of their columns to read."""

    width: int  # columns of the file
    columns: Sequence[int]  # the indexes of those that are read
    header_line: int = 1  # the rows follow; 0: the file has no header
    end_of_rows: str = ""  # how the first line after the rows begins


@dataclass(frozen=True)
class Source:
    """An open file."""

    lines: Sequence[Sequence[str]]  # the values of its first lines; of Parquet, the names only
    types: Sequence[pa.DataType]  # of Parquet's columns; empty for CSV, which has text only
    read: Callable[[Shape], Iterator[Rows]]  # BadInput if the file breaks a rule of its format
    share: Callable[[int], float]  # from rows read to the share of the file read, 0 to 1
    warnings: Callable[[], tuple[str, ...]]  # of the rows that were read
