"""Measure light queries while other clients keep sending medium and heavy ones."""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks import queries, report
from benchmarks.target import Target

CLIENTS = 8  # clients that send expensive queries
FLIGHTS = "/api/flight_delay_data/"
numbers = itertools.count()


def run(target: Target, seconds: float) -> list[str]:
    lanes: dict[str, Callable[[], str] | None] = {
        "nothing": None,
        "medium queries": medium,
        "heavy queries": heavy,
    }
    lines = [_line(target, name, path, seconds) for name, path in lanes.items()]
    return report.table(["other clients send", "p50", "p95", "costly: answered", "refused"], lines)


def medium() -> str:
    """A query with two conditions that no row matches, so PostgreSQL reads all rows."""
    number = next(numbers)
    return (
        f"{FLIGHTS}?or=Airline_Name__icontains:q{number},Origin_City__icontains:q{number}&limit=1"
    )


def heavy() -> str:
    """A query with 50 ILIKE conditions that no row matches, so PostgreSQL reads all rows."""
    conditions = (f"Origin_City__icontains:q{next(numbers)}" for _ in range(50))
    return f"{FLIGHTS}?or={','.join(conditions)}&limit=1"


def _line(target: Target, name: str, path: Callable[[], str] | None, seconds: float) -> list[str]:
    with _expensive_clients(target, path) as statuses:
        time.sleep(0.5)  # until the expensive queries run
        times = sorted(_light(target, seconds))
    p50, p95 = statistics.median(times), times[len(times) * 95 // 100]
    answered = statuses.count(200)
    return [
        *(name, f"{1000 * p50:.1f} ms", f"{1000 * p95:.1f} ms"),
        *map(report.number, (answered, len(statuses) - answered)),
    ]


def _light(target: Target, seconds: float) -> Iterator[float]:
    end = time.perf_counter() + seconds
    while (started_at := time.perf_counter()) < end:
        response = target.get(queries.dynamic_query(queries.random_query()))
        assert response.status == 200, response.body
        yield time.perf_counter() - started_at


@contextmanager
def _expensive_clients(target: Target, path: Callable[[], str] | None) -> Iterator[list[int]]:
    """Run clients that send one query after another; yield the list of response statuses."""
    statuses: list[int] = []
    stop = threading.Event()

    def send(new: Callable[[], str]) -> None:
        while not stop.is_set():
            statuses.append(target.get(new()).status)

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(send, path) for _ in range(CLIENTS)] if path else []
        try:
            yield statuses
        finally:
            stop.set()
            for client in clients:
                client.result()
