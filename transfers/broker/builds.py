"""What a build is made from: the raw records, the SQL, and the files that were ingested.

The table `broker_builds` has one row: that of the last build. It is emptied while a build runs,
because a warehouse without transactions keeps the tables of a build that was interrupted.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from transfers.ingest import months
from transfers.ingest.raw_table import INGESTED, RAW
from transfers.warehouses import Change, spark_sql

BUILDS = "broker_builds"

type File = tuple[str, ...]  # digest, time of ingest, first and last Flight_Date


@dataclass(frozen=True)
class Period:
    """Whole months: the days from `first` to before `end`. Both are the first day of a month."""

    first: date
    end: date

    def condition(self, column: str) -> str:
        return f"{column} >= DATE '{self.first}' AND {column} < DATE '{self.end}'"


@dataclass(frozen=True)
class Build:
    """The versions of records, SQL and files from which the tables are built."""

    recipe: str  # SHA-256 of the version of the raw table and the SQL
    statements: str = ""  # SHA-256 of the SQL; empty in the row of an earlier release
    files: frozenset[File] = frozenset()

    def changes_since(self, last: "Build | None") -> list[Period]:
        """Return the months whose records changed since a build; [] if they are unknown."""
        if last is None or last.statements != self.statements:
            return []
        periods = [_months(file) for file in self.files ^ last.files]
        return [] if None in periods else [period for period in periods if period]

    def record(self, change: Change) -> None:
        """Record this build as the last one."""
        values = {
            "Recipe": self.recipe,
            "Statements": self.statements,
            "Files": json.dumps(sorted(self.files)),
        }
        columns = ", ".join(f"{spark_sql.text(value)} AS {name}" for name, value in values.items())
        change.execute(f"CREATE OR REPLACE TABLE {BUILDS} AS SELECT {columns}")


def current(change: Change, statements: Iterable[str]) -> Build:
    """Return the build that the current records, SQL and files would give."""
    # In this order: a file that is ingested in between is noticed by the next build.
    version = change.version(RAW)
    parts = [version, *statements]
    return Build(_digest(parts), _digest(parts[1:]), frozenset(_files(change)))


def last(change: Change) -> Build | None:
    """Return the last build; None if there is none, or if it was interrupted."""
    if BUILDS not in change.tables():
        return None
    (row,) = change.query(spark_sql.select("*", BUILDS)).to_pylist()
    files = frozenset(map(tuple, json.loads(row.get("Files") or "[]")))
    return Build(row["Recipe"], row.get("Statements") or "", files) if row["Recipe"] else None


def forget(change: Change) -> None:
    """Record that a build has begun."""
    Build("").record(change)


def _files(change: Change) -> list[File]:
    if INGESTED not in change.tables():
        return []
    rows = change.query(spark_sql.select("*", INGESTED)).to_pylist()
    names = ("Digest", "Ingested_At", "First_Date", "Last_Date")
    return [tuple(str(row.get(name) or "") for name in names) for row in rows]


def _months(file: File) -> Period | None:
    """Return the months of a file; None if an earlier release ingested it."""
    _, _, first, last = file
    if not first or not last:
        return None
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return Period(begin.replace(day=1), months.following(end))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
