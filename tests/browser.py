"""Chromium for tests, which fail on any error in a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT as AXE  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from tests.samples import Sample

# The first has no window and takes two thirds of the CPU time of the others.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Root needs the first; the others prevent other requests of Chromium and use of the graphics card.
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
type Look = tuple[int, Literal["light", "dark"]]  # width (px) and colour scheme

LOOKS: tuple[Look, ...] = ((1400, "light"), (360, "dark"), (1400, "dark"), (360, "light"))
VIEWPORT: ViewportSize = {"width": 1280, "height": 720}  # of a new context


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


class Window:
    """A page of the site at `url` that tests share: a new one costs half a second of CPU.

    The page may load from the site, and from the address `trusted`.
    """

    def __init__(self, browser: Browser, url: str, *, trusted: Any = "", **options: Any) -> None:
        self.url, self.troubles = url, list[str]()
        self.trusted = trusted or url
        self.cookies = options.get("storage_state", {}).get("cookies", [])
        self.context = browser.new_context(base_url=url, **options)
        self.context.add_init_script(HEAR_VIOLATIONS)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("request", self._see)
        self.page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))

    @contextmanager
    def lent(self) -> Iterator[Page]:
        """Lend the page to a test; make it as new afterwards, and fail if it had any error."""
        try:
            yield self.page
        finally:
            self._reset()
            troubles, self.troubles[:] = self.troubles[:], []
        assert not troubles, "\n".join(troubles)

    def _reset(self) -> None:
        self.context.clear_cookies()
        self.context.add_cookies(self.cookies)
        if self.page.url.startswith(self.url):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.goto("about:blank")
        self.page.set_viewport_size(VIEWPORT)
        self.page.emulate_media(color_scheme="null", reduced_motion="null")

    def _hear(self, message: ConsoleMessage) -> None:
        # Tests check the status of the page itself.
        failed = message.text.startswith("Failed to load")
        own = failed and message.location["url"] == self.page.url
        if message.type == "error" and not own:
            self.troubles.append(f"console: {message.text}")

    def _see(self, request: Any) -> None:
        own = (f"{self.url}/", f"{self.trusted}/", "data:", "blob:")
        if not request.url.startswith(own):
            self.troubles.append(f"request to another host: {request.url}")


@contextmanager
def shared_window(browser: Browser, url: str, **options: Any) -> Iterator[Window]:
    shared = Window(browser, url, **options)
    yield shared
    shared.context.close()


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page that is not shared; fail at the end if it had any error."""
    with shared_window(browser, url, **options) as own, own.lent() as page:
        yield page


def assert_accessible(page: Page, sample: Sample) -> None:
    """Check accessibility and that nothing scrolls sideways: in one look, or in all of them."""
    page.evaluate(AXE)
    for width, scheme in sample.of(LOOKS, len(LOOKS)):
        page.set_viewport_size({"width": width, "height": 900})
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert sideways <= 0, f"{page.url} is {sideways} px too wide for {width} px"
        page.emulate_media(color_scheme=scheme)
        violations = _violations(page)
        assert not violations, f"{page.url}, {width} px, {scheme}:\n" + "\n".join(violations)


def _violations(page: Page) -> list[str]:
    rules = page.evaluate("axe.run({resultTypes: ['violations']}).then(all => all.violations)")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in rules
        for node in rule["nodes"]
        if rule["impact"] in SERIOUS
    ]
