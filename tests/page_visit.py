"""Open a page in a browser that has cached nothing; measure its time and what was transferred."""

from typing import NamedTuple

from playwright.sync_api import Browser, Page

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


class Visit(NamedTuple):
    status: int
    seconds: float  # from the request to the event `load`
    bytes: int  # of the page and its files with their headers, compressed as they were sent


def visit(browser: Browser, url: str) -> Visit:
    context = browser.new_context()
    result = measure(context.new_page(), url)
    context.close()
    return result


def measure(page: Page, url: str) -> Visit:
    """Open a URL in a page, as if the browser had cached nothing."""
    session, sizes = page.context.new_cdp_session(page), list[int]()
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on(
        "Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"]))
    )
    response = page.goto(url, wait_until="load")
    page.wait_for_function(f"{LOADED} > 0")
    page.wait_for_load_state("networkidle")
    seconds = page.evaluate(LOADED)
    session.detach()
    assert response
    return Visit(response.status, seconds, sum(sizes))
