"""Measure a mix of pages and API requests at full speed, and by 1,000 and 6,000 users who pause.

Locust needs more processor time for a request than the servers, so on the same machine it measures
mostly itself. wrk needs a fiftieth of that; its users keep connections and pause like Locust's.
"""

import random
from collections.abc import Sequence

from benchmarks import report, wrk
from benchmarks.target import Target
from tests.public_pages import PAGES

GOAL = 10_000  # requests per second over pages and API
PAGES_OF_API = 0.5  # share of page views among the mixed requests
USERS = (1_000, 6_000)
PAUSE = (1_000, 5_000)  # ms between two requests of a user, as in the Locust scenarios
SLOWEST = 100.0  # ms; the target for the 95th percentile
API = (
    "/api/delays_by_day/",
    "/api/airlines/?Airline_Name__icontains=air",
    "/api/performance_by_month/?order_by=-On_Time_Percent&limit=10",
    "/api/flight_delay_data/?group_by=Airline_Name&aggregate=count",
    "/api/search?q=boston",
    "/api/graphql?query=%7Bdelays_by_day%7Brows%7BDay_of_Week%20Total_Flights%7D%7D%7D",
    "/api/delays_by_day/describe",
)


def run(target: Target, seconds: float) -> list[str]:
    pages, missing = _existing(target, [*PAGES, "/chat"])
    api, unknown = _existing(target, API)
    api += wrk.warm_paths(target)[:500]
    lanes = {"pages": pages, "API": api, "pages and API mixed": _mixed(pages, api)}
    rates = [_rate(target, name, paths, seconds) for name, paths in lanes.items()]
    users = [_users(target, lanes["pages and API mixed"], number, seconds) for number in USERS]
    return [
        *report.table(["requests", "requests/s", "p99", f"goal {GOAL:,}"], rates),
        "",
        *report.table(["users", "requests/s", "failed", "p50", "p95", "p99", "target"], users),
        "",
        f"Pages: {', '.join(f'`{path}`' for path in pages)}.",
        *(f"- not measured, because the status is not 200: `{path}`" for path in missing + unknown),
    ]


def _existing(target: Target, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The paths that respond with 200, and the others."""
    statuses = {path: target.get(path, Accept="*/*").status for path in paths}
    good = [path for path, status in statuses.items() if status == 200]
    return good, [path for path in paths if path not in good]


def _mixed(pages: list[str], api: list[str], number: int = 10_000) -> list[str]:
    return [random.choice(pages if random.random() < PAGES_OF_API else api) for _ in range(number)]


def _rate(target: Target, name: str, paths: list[str], seconds: float) -> list[str]:
    wrk.measure(target.site.url, paths, 1, target.headers)  # fills the caches
    rate = wrk.measure(target.site.url, paths, seconds, target.headers)
    met = "met" if rate.per_second >= GOAL else "missed"
    return [name, report.number(rate.per_second), rate.p99, met]


def _users(target: Target, paths: list[str], number: int, seconds: float) -> list[str]:
    """Users who send a request, read, and pause; all are connected from the start."""
    result = wrk.users(target.site.url, paths, number, PAUSE, 6 * seconds, target.headers)
    met = "met" if result.p95 <= SLOWEST and not result.failed else "missed"
    times = [f"{ms:,.1f} ms" for ms in (result.p50, result.p95, result.p99)]
    return [f"{number:,}", report.number(result.per_second), str(result.failed), *times, met]
