"""Seconds until the first page of a search, each asked once: `make bench-search`.

Words are drawn from the values of a running platform, `make run`: its cities, airlines and days.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
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
    rows = asked(f"/api/{TABLE}/?limit=1&count=exact").headers["X-AirSense-Count"]
    table = Table("query", "median", "p95", "longest", title=f"Search of {int(rows):,} flights")
    for kind, query in kinds.items():
        took = sorted(seconds(query()) for _ in range(QUERIES))
        p95 = statistics.quantiles(took, n=20)[-1]
        table.add_row(
            kind, *(f"{1000 * s:.0f} ms" for s in (statistics.median(took), p95, took[-1]))
        )
    Console().print(table)


def values(column: str) -> list[str]:
    """The first words of a column's values: `Boston` of `Boston, MA`."""
    groups = asked(f"/api/{TABLE}/?group_by={column}&columns={column}").json()["results"]
    return sorted({str(group[column]).split(",")[0].split()[0] for group in groups})


def typo(word: str) -> str:
    """Without one of its letters."""
    at = random.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def seconds(query: str) -> float:
    """Nobody has asked this before: its answer is not kept."""
    limit = random.randint(5, 100)
    began = time.perf_counter()
    asked(f"/api/search?{urlencode({'q': query, 'limit': limit, 'offset': 0})}")
    return time.perf_counter() - began


def asked(path: str) -> Any:
    answer = SESSION.get(ADDRESS + path, timeout=60)
    answer.raise_for_status()
    return answer


if __name__ == "__main__":
    main()
