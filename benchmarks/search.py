"""Measure response times of uncached searches: `make bench-search`.

Needs a running platform (`make run`). Words come from its cities, airlines and days.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import requests
from rich.console import Console
from rich.table import Table

from benchmarks.keys import own_key

ADDRESS = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
TABLE = "flight_delay_data"
QUERIES = 60  # of each kind
SESSION = requests.Session()


def main() -> None:
    with own_key() as key:
        SESSION.headers["X-API-Key"] = key
        measure()


def measure() -> None:
    cities, airlines, days = (
        values(column) for column in ("Origin_City", "Airline_Name", "Flight_Date")
    )
    kinds: dict[str, Callable[[], str]] = {
        "a city": lambda: random.choice(cities),
        "airline, city and day": lambda: " ".join(map(random.choice, (airlines, cities, days))),
        "a typo": lambda: typo(random.choice(cities)),
        "a day": lambda: random.choice(days),
        "a number": lambda: str(random.randint(-60, 1_400)),
        "one or two letters": lambda: random.choice(cities)[: random.randint(1, 2)],
    }
    paths: dict[str, Callable[[], str]] = {
        kind: partial(_search, query) for kind, query in kinds.items()
    }
    paths["suggestions"] = lambda: _suggest(random.choice(cities + airlines))
    rows = get(f"/api/{TABLE}/?limit=1&count=exact").headers["X-AirSense-Count"]
    table = Table("query", "median", "p95", "longest", title=f"Search of {int(rows):,} flights")
    for kind, path in paths.items():
        times = sorted(seconds(path()) for _ in range(QUERIES))
        p95 = statistics.quantiles(times, n=20)[-1]
        table.add_row(
            kind, *(f"{1000 * s:.0f} ms" for s in (statistics.median(times), p95, times[-1]))
        )
    Console().print(table)


def values(column: str) -> list[str]:
    """First words of a column's values, such as `Boston` of `Boston, MA`."""
    groups = get(f"/api/{TABLE}/?group_by={column}&columns={column}").json()["results"]
    return sorted({str(group[column]).split(",")[0].split()[0] for group in groups})


def typo(word: str) -> str:
    """The word without one of its letters."""
    index = random.randrange(1, len(word))
    return word[:index] + word[index + 1 :]


def _search(query: Callable[[], str]) -> str:
    """The random limit makes a cached response unlikely."""
    params = {"q": query(), "limit": random.randint(5, 100), "offset": 0}
    return f"/api/search?{urlencode(params)}"


def _suggest(word: str) -> str:
    """The beginning of a word, as while typing."""
    params = {"q": word[: random.randint(1, 6)], "limit": random.randint(5, 50)}
    return f"/api/search/suggest?{urlencode(params)}"


def seconds(path: str) -> float:
    started_at = time.perf_counter()
    get(path)
    return time.perf_counter() - started_at


def get(path: str) -> Any:
    response = SESSION.get(ADDRESS + path, timeout=60)
    response.raise_for_status()
    return response


if __name__ == "__main__":
    main()
