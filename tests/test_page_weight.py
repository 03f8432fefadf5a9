"""No page is heavy: what a browser transfers for it, styles and scripts included, has a limit."""

import pytest
from playwright.sync_api import Page

from flights import links
from tests.page_visit import measure
from tests.platform import Site
from tests.public_pages import LARGEST, PAGES

# A page of each stylesheet; the others are measured by the deep tests.
SOME = {"/", "/explorer", links.route("EWR", "MCO"), "/api/", "/connectors"}


@pytest.mark.parametrize(
    "path", [pytest.param(p, marks=[] if p in SOME else pytest.mark.deep) for p in PAGES]
)
def test_a_page_is_small(page: Page, site: Site, path: str) -> None:
    result = measure(page, site.url + path)
    if result.status == 404:
        pytest.skip(f"{path} does not exist")
    assert result.status == 200
    assert 0 < result.bytes < LARGEST
