"""Open every public page in a browser that has cached nothing: time to load, and size."""

import statistics

from playwright.sync_api import Browser

from benchmarks import report
from benchmarks.target import Target
from tests.browser import chromium
from tests.page_visit import Visit, visit
from tests.public_pages import LARGEST, PAGES, SLOWEST, TOOLS

TIMES = 5  # visits of each page


def run(target: Target, seconds: float) -> list[str]:
    """One visit for each second, at least one; the first fills the server's caches."""
    times = max(1, min(TIMES, round(seconds)))
    with chromium() as browser:
        lines = [_line(browser, target, path, times, is_page=True) for path in PAGES]
        lines += [_line(browser, target, path, times, is_page=False) for path in TOOLS]
    return report.table(["page", "first visit", "median of others", "transferred", "goals"], lines)


def _line(browser: Browser, target: Target, path: str, times: int, *, is_page: bool) -> list[str]:
    first = visit(browser, target.site.url + path)
    if first.status != 200:
        return [f"`{path}`", "", "", "", f"status {first.status}"]
    later = [visit(browser, target.site.url + path) for _ in range(times)]
    goals = _goals([first, *later]) if is_page else "none: an interactive tool"
    return [
        f"`{path}`",
        _ms(first.seconds),
        _ms(statistics.median(one.seconds for one in later)),
        f"{first.bytes / 1000:,.0f} kB",
        goals,
    ]


def _goals(visits: list[Visit]) -> str:
    """Which goals the slowest visit misses."""
    slow = max(one.seconds for one in visits) > SLOWEST
    heavy = max(one.bytes for one in visits) > LARGEST
    missed = [name for name, is_missed in (("time", slow), ("size", heavy)) if is_missed]
    return f"missed: {', '.join(missed)}" if missed else "met"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"
