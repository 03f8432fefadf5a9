"""Times of light queries while other clients ask for medium and heavy ones, again and again."""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks import queries, report
from benchmarks.target import Target

CLIENTS = 8  # that ask for costly queries
BOUND = 0.05  # seconds within which 95 of 100 light queries are answered
FLIGHTS = "/api/flight_delay_data/"
numbers = itertools.count()


def run(target: Target, seconds: float) -> list[str]:
    lanes: dict[str, Callable[[], str] | None] = {
        "nothing else": None,
        "medium queries": medium,
        "heavy queries": heavy,
    }
    lines = [_line(target, name, path, seconds) for name, path in lanes.items()]
    return report.table(["beside them", "p50", "p95", "costly: answered", "refused"], lines)


def medium() -> str:
    """Two conditions that no row matches, so PostgreSQL reads all rows."""
    number = next(numbers)
    return (
        f"{FLIGHTS}?or=Airline_Name__icontains:q{number},Origin_City__icontains:q{number}&limit=1"
    )


def heavy() -> str:
    """An OR over 50 ILIKE that no row matches, so PostgreSQL reads all rows."""
    conditions = (f"Origin_City__icontains:q{next(numbers)}" for _ in range(50))
    return f"{FLIGHTS}?or={','.join(conditions)}&limit=1"


def _line(target: Target, name: str, path: Callable[[], str] | None, seconds: float) -> list[str]:
    with _asking(target, path) as statuses:
        time.sleep(0.5)  # until the costly queries run
        took = sorted(_light(target, seconds))
    p50, p95 = statistics.median(took), took[len(took) * 95 // 100]
    answered = statuses.count(200)
    return [
        *(name, f"{1000 * p50:.1f} ms", f"{1000 * p95:.1f} ms"),
        *map(report.number, (answered, len(statuses) - answered)),
    ]


def _light(target: Target, seconds: float) -> Iterator[float]:
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        answer = target.get(queries.dynamic_query(queries.drawn()))
        assert answer.status == 200, answer.body
        yield time.perf_counter() - began


@contextmanager
def _asking(target: Target, path: Callable[[], str] | None) -> Iterator[list[int]]:
    """Clients that ask for a path each as soon as they have an answer; the statuses they got."""
    statuses: list[int] = []
    stop = threading.Event()

    def ask(new: Callable[[], str]) -> None:
        while not stop.is_set():
            statuses.append(target.get(new()).status)

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask, path) for _ in range(CLIENTS)] if path else []
        try:
            yield statuses
        finally:
            stop.set()
            for each in asking:
                each.result()
