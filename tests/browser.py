"""Chromium for tests, which fail on any error in a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Root needs the first; the others keep it from asking hosts of its own and from the graphics card.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
]
HEAR_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) => console.error(
    `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""
SERIOUS = ("serious", "critical")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1400, 360)


@contextmanager
def chromium() -> Iterator[Browser]:
    """While it is open, this process cannot use Django's ORM: Playwright runs an event loop."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.fail("The browser tests need Chromium: `make programs` installs it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page of the site at `url`; fail at the end if the page had any error."""
    troubles: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # The status of the page itself is the test's to judge.
        own = message.text.startswith("Failed to load") and message.location["url"] == page.url
        if message.type == "error" and not own:
            troubles.append(f"console: {message.text}")

    def see(request: Any) -> None:
        if not request.url.startswith((f"{url}/", "data:", "blob:")):
            troubles.append(f"request to another host: {request.url}")

    context = browser.new_context(base_url=url, **options)
    context.add_init_script(HEAR_VIOLATIONS)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", hear)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("request", see)
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    yield page
    context.close()
    assert not troubles, "\n".join(troubles)


def assert_accessible(page: Page) -> None:
    """Check accessibility in light and dark, wide and narrow, and that nothing scrolls sideways."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert sideways <= 0, f"{page.url} is {sideways} px too wide for {width} px"
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            violations = _violations(page)
            assert not violations, f"{page.url}, {width} px, {scheme}:\n" + "\n".join(violations)


def _violations(page: Page) -> list[str]:
    rules = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in rules
        for node in rule["nodes"]
        if rule["impact"] in SERIOUS
    ]
