"""Measure how soon the explorer shows the first rows: `make bench-explorer FLIGHTS=file.parquet`.

A separate platform publishes the flights of the file, or those of the demo. The filters have random
values of these flights, so that no page is cached. A second request of each page shows what caches
save.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import requests
from playwright.sync_api import Browser
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import report
from benchmarks.target import Target, empty, running_target
from tests.browser import chromium

TABLE = "flight_delay_data"
PAGES = 20  # of each kind
VISITS = 5  # of each kind, in a browser
GOAL = 0.2  # seconds until the first rows appear
HOUR = 3600  # seconds that a command of the preparation may take
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime / 1000"

type Params = dict[str, str]


class Times(NamedTuple):
    """Seconds until the first rows have arrived; None if PostgreSQL exceeded a limit."""

    cold: list[float | None]
    warm: list[float | None]
    painted: list[float]  # in a browser, until it shows the page


def main() -> None:
    options = _options()
    with _published(options.flights) as target, chromium() as browser:
        lines = _measure(target, browser, options.pages)
        file = f" FLIGHTS={options.flights.name}" if options.flights else ""
        lines += ["", report.setting(target, f"make bench-explorer{file}")]
    Console().print(Markdown("\n".join(lines)))
    report.write("explorer", lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench-explorer", description=__doc__)
    parser.add_argument("--flights", type=Path, help="a file that `manage.py ingest` reads")
    parser.add_argument("--pages", type=int, default=PAGES, help=f"of each kind (default: {PAGES})")
    return parser.parse_args()


@contextmanager
def _published(flights: Path | None) -> Iterator[Target]:
    """Run a platform that has published the flights of a file, or those of the demo."""
    source = str(flights.resolve()) if flights else "--demo"
    with empty() as platform:
        for command in (["ingest", source], ["broker"], ["transfer", "--all"]):
            platform.manage(*command, seconds=HOUR)
        with running_target(platform) as target:
            yield target


def _measure(target: Target, browser: Browser, pages: int) -> list[str]:
    """Lines of the table of all kinds of pages."""
    kinds = _kinds(_flights(target))
    _seconds(target, {})  # the server's first page loads templates and opens connections
    lines = [_line(kind, _times(target, browser, params, pages)) for kind, params in kinds.items()]
    rows = target.get(f"/api/{TABLE}/?limit=1&count=exact").headers["x-airsense-count"]
    head = [f"{int(rows):,} flights", "median", "p95", "longest", "again", "painted", "refused"]
    return report.table([*head, "goal"], lines)


def _flights(target: Target) -> list[dict[str, Any]]:
    """Flights at five random offsets, from which the filters get their values."""
    columns = "Airline_Name,Origin,Destination,Flight_Date,Origin_City"
    path = f"/api/{TABLE}/?columns={columns}"
    rows = int(target.get(f"{path}&limit=1&count=exact").headers["x-airsense-count"])
    offsets = (random.randrange(min(rows, 300_000)) for _ in range(5))
    pages = (target.get(f"{path}&limit=500&offset={offset}").json() for offset in offsets)
    return [row for page in pages for row in page["results"]]


def _kinds(flights: list[dict[str, Any]]) -> dict[str, Callable[[], Params]]:
    def one(*columns: str) -> Params:
        flight = random.choice(flights)
        return {column: flight[column] for column in columns}

    def delay() -> str:
        return str(random.randrange(15, 240))

    return {
        "no filter, any page": lambda: {"offset": str(random.randrange(10_000))},
        "an airline": lambda: one("Airline_Name") | {"offset": str(random.randrange(1_000))},
        "a route": lambda: one("Origin", "Destination") | {"Arrival_Delay_Minutes__lt": delay()},
        "a delay of at least": lambda: {"Arrival_Delay_Minutes__gte": delay()},
        "a part of a city's name": lambda: {
            "Origin_City__icontains": one("Origin_City")["Origin_City"][1:5],
            "offset": str(random.randrange(1_000)),
        },
        "the longest delays of an airline": lambda: (
            one("Airline_Name")
            | {"order_by": "-Arrival_Delay_Minutes", "offset": str(random.randrange(1_000))}
        ),
        "a route with two facets": lambda: (
            one("Origin", "Destination")
            | {"facets": "Airline_Name,Day_of_Week", "Arrival_Delay_Minutes__lt": delay()}
        ),
        "an airline with two facets": lambda: (
            one("Airline_Name")
            | {"facets": "Origin,Destination", "offset": str(random.randrange(1_000))}
        ),
        "nothing matches": lambda: one("Origin", "Airline_Name") | {"Destination": delay()},
        "an airport by airline": lambda: (
            one("Origin")
            | {
                "group_by": "Airline_Name",
                "aggregate": f"count,share:Arrival_Delay_Minutes__gte:{delay()}",
            }
        ),
        "all flights by airline": lambda: {
            "group_by": "Airline_Name",
            "aggregate": f"count,share:Arrival_Delay_Minutes__gte:{delay()}",
        },
        "sorted by a column without an index": lambda: {
            "order_by": "-Distance_Miles",
            "offset": str(random.randrange(10_000)),
        },
    }


def _times(target: Target, browser: Browser, params: Callable[[], Params], pages: int) -> Times:
    every = [params() for _ in range(pages)]
    cold, warm = ([_seconds(target, page) for page in every] for _ in range(2))
    painted = [_painted(target, browser, params()) for _ in range(min(VISITS, pages))]
    return Times(cold, warm, [seconds for seconds in painted if seconds is not None])


def _line(kind: str, times: Times) -> list[str]:
    """The table's line for a kind of page; the goal applies to the median of the first requests."""
    cold = sorted(seconds for seconds in times.cold if seconds is not None)
    refused = str(len(times.cold) - len(cold))
    if len(cold) < 2:
        return [kind, "-", "-", "-", "-", "-", refused, "missed"]
    p95 = statistics.quantiles(cold, n=20, method="inclusive")[-1]
    median = statistics.median(cold)
    cells = map(_ms, (median, p95, cold[-1]))
    goal = "met" if median <= GOAL else "missed"
    return [kind, *cells, _median(times.warm), _median(times.painted), refused, goal]


def _median(seconds: list[float | None] | list[float]) -> str:
    measured = [each for each in seconds if each is not None]
    return _ms(statistics.median(measured)) if measured else "-"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


def _address(target: Target, params: Params) -> str:
    return f"{target.site.url}/explorer?{urlencode({'table': TABLE, **params})}"


def _seconds(target: Target, params: Params) -> float | None:
    """Seconds until the page with its rows has arrived; None if it is refused."""
    started_at = time.perf_counter()
    response = requests.get(_address(target, params), headers=target.headers, timeout=60)
    if response.status_code == 503:
        return None
    response.raise_for_status()
    return time.perf_counter() - started_at


def _painted(target: Target, browser: Browser, params: Params) -> float | None:
    """Seconds until a browser that has cached nothing shows the page; None if it is refused.

    Playwright waits by `eval`, which the site's CSP forbids, so the browser ignores the CSP.
    """
    with browser.new_context(extra_http_headers=target.headers, bypass_csp=True) as context:
        page = context.new_page()
        response = page.goto(_address(target, params), wait_until="load")
        if not response or response.status == 503:
            return None
        page.wait_for_function(f"{PAINTED} > 0")
        return float(page.evaluate(PAINTED))


if __name__ == "__main__":
    main()
