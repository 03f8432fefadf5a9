"""What clients and transfers saw during a fault: errors, pauses, and rows of the wrong version."""

import hashlib
import itertools
import json
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson

from airsense.data_folder import PROJECT
from benchmarks import report
from tests import expected_tables

FILE = PROJECT / "docs" / "hosts.md"
HEAD = (
    *("fault", "requests", "errors", "longest response", "longest time without a right response"),
    *("wrong rows", "transfers: succeeded, of these repeated, failed", "published again after"),
)


class Response(NamedTuple):
    at: float  # time of the request
    seconds: float
    kind: str  # status, or name of an error
    version: str
    digest: str  # of the body

    @property
    def end(self) -> float:
        return self.at + self.seconds


class Transfer(NamedTuple):
    at: float  # time of its end
    number: int  # N of `expected_tables.records(N, …)`, from which the version is made
    status: str
    version: str
    attempt: int
    error: str

    @property
    def published(self) -> bool:
        return self.status == "succeeded"


class Outcome(NamedTuple):
    """A fault: the times when it began, ended and was recovered from, and the load's files."""

    name: str
    began: float
    ended: float
    recovered: float
    response_file: Path
    transfer_file: Path
    records: int

    def cells(self) -> list[str]:
        """A line of the table."""
        rows = [r for r in responses(self.response_file) if self.began < r.end < self.recovered]
        failed = Counter(r.kind for r in rows if r.kind != "200")
        errors = ", ".join(f"{count} {kind}" for kind, count in failed.most_common()) or "0"
        slowest = max((r.seconds for r in rows), default=0.0)
        return [
            self.name,
            f"{len(rows):,}",
            errors,
            f"{slowest:.1f} s",
            f"{_longest_gap(rows, self.began, self.recovered):.1f} s",
            str(wrong(rows, transfers(self.transfer_file), self.records)),
            self._transfers(),
            self._first_publication(),
        ]

    def _transfers(self) -> str:
        ended = [t for t in transfers(self.transfer_file) if self.began < t.at < self.recovered]
        good = [t for t in ended if t.published]
        repeated = sum(t.attempt > 1 for t in good)
        return f"{len(good)}, {repeated}, {len(ended) - len(good)}"

    def _first_publication(self) -> str:
        """The time from the end of the fault to the next publication."""
        times = [t.at for t in transfers(self.transfer_file) if t.published and t.at > self.ended]
        return f"{min(times) - self.ended:.1f} s" if times else "never"


def responses(file: Path) -> list[Response]:
    return [Response(*json.loads(line)) for line in _lines(file)]


def transfers(file: Path) -> list[Transfer]:
    return [Transfer(*json.loads(line)) for line in _lines(file)]


def _lines(file: Path) -> list[str]:
    """The complete lines of a file that is being written."""
    return file.read_text().split("\n")[:-1] if file.exists() else []


def wrong(rows: Sequence[Response], ended: Sequence[Transfer], records: int) -> int:
    """Count responses whose rows are not those of the version that they name.

    `ended` lacks transfers that were published while PostgreSQL did not answer the publisher. All
    responses of such a version must have the same rows, and those of some number.
    """
    numbers = {t.version: t.number for t in ended if t.published}
    of_any_number = {_digest(n, records) for n in range(1, 2 + max(t.number for t in ended))}
    digests = defaultdict[str, set[str]](set)
    good = [r for r in rows if r.kind == "200"]
    for row in good:
        digests[row.version].add(row.digest)
    expected = {
        version: {_digest(numbers[version], records)} if version in numbers else of_any_number
        for version in digests
    }
    return sum(r.digest not in expected[r.version] or len(digests[r.version]) > 1 for r in good)


@cache
def _digest(number: int, records: int) -> str:
    """SHA-256 of the rows that a version of this number has, as plain Python computes them."""
    days = expected_tables.delays_by_day(expected_tables.records(number, records))
    return hashlib.sha256(orjson.dumps(days)).hexdigest()


def _longest_gap(rows: Sequence[Response], began: float, recovered: float) -> float:
    """The longest time in which no right response ended."""
    ends = sorted(r.end for r in rows if r.kind == "200")
    times = [began, *ends, recovered]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


def write(outcomes: Sequence[Outcome], seconds: float, rate: float) -> None:
    """Write the table into its section of docs/hosts.md."""
    busy = f"Load {os.getloadavg()[2]:.0f} (15 minutes, with other programs)"
    about = f"`make bench-hosts`, {seconds:g} s for each fault, {rate:g} requests/s. {busy}."
    lines = [*report.table(HEAD, [o.cells() for o in outcomes]), "", report.machine(about)]
    report.write("hosts", lines, FILE, "make bench-hosts")
