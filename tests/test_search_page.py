"""The search page and the search field of every page."""

import re
from html import unescape
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import assert_accessible, opened
from tests.platform import Site
from tests.samples import Sample


def html(site: Site, q: str) -> str:
    response = site.get(f"/search?q={quote(q)}")
    assert response.status == 200, response.body
    return unescape(response.body.decode())


@pytest.mark.parametrize(
    ("q", "url"),
    [
        *(("jetblue", "/airlines/B6/"), ("JFK", "/airports/JFK/"), ("Orlando", "/airports/MCO/")),
        *(("B6 583", "/flights/B6-583/"), ("9 Feb 2013", "/days/2013-02-09/")),
        *(("JFK to Orlando", "/routes/JFK-MCO/"), ("2/9/2013", "/days/2013-02-09/")),
    ],
)
def test_the_page_that_the_whole_text_names_comes_first(site: Site, q: str, url: str) -> None:
    assert f'<a class="card best" href="{url}">' in html(site, q)


def test_a_city_lists_its_airports(site: Site) -> None:
    page = html(site, "NYC")
    assert all(f'href="/airports/{code}/"' in page for code in ("EWR", "JFK", "LGA"))
    assert "336,776 flights" not in page.split("</main>")[0].split('id="rows"')[0]


def test_hits_are_counted_marked_and_linked_to_exactly_their_rows(site: Site) -> None:
    page = html(site, "Delta to Boston")
    hits = page.split('id="flight_delay_data"')[1].split("</section>")[0]
    assert "<mark>DL</mark>" in hits
    (api,) = re.findall(r'href="(/api/flight_delay_data/\?[^"]+)"', hits)
    response = site.get(f"{api}&count=exact")
    assert f"{int(response.headers['x-airsense-count']):,} rows" in hits
    rows = response.json()["results"]
    assert {(row["Airline_Code"], row["Destination"]) for row in rows} == {("DL", "BOS")}


def test_a_typing_error_is_corrected_in_sight(site: Site) -> None:
    page = html(site, "honlulu")
    assert "<s>honlulu</s>" in page
    assert 'href="/airports/HNL/"' in page


@pytest.mark.parametrize(
    ("q", "says"),
    [
        (
            "2014-02-09",
            ["Sunday, 9 February 2014", "not in the published flights", "/days/2013-02-09/"],
        ),
        ("AA 9999", ["AA 9999", "not in the published flights", 'href="/airlines/AA/"']),
        ("orlnado nosuchword", ["No table contains", "<b>nosuchword</b>", "/airports/MCO/"]),
        ("a b c d e f g h i j", ["10 words", "/ask?q="]),
    ],
)
def test_an_empty_result_says_what_was_understood_and_what_is_close(
    site: Site, q: str, says: list[str]
) -> None:
    page = html(site, q)
    assert [text for text in says if text not in page] == []


def test_a_text_is_shown_as_text(site: Site) -> None:
    page = site.get(f"/search?q={quote('<script>alert(1)</script>')}").body.decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


@pytest.mark.parametrize("q", ["", "%20", "x" * 101, "a%00b"])
def test_texts_that_cannot_be_searched(site: Site, q: str) -> None:
    assert site.get(f"/search?q={q}").status == (200 if len(q) < 4 else 400)


@pytest.mark.parametrize(
    "q",
    [
        "JetBlue from NYC to orlnado",
        *(pytest.param(q, marks=pytest.mark.deep) for q in ("nosuchword", "")),
    ],
)
def test_the_page_is_accessible_in_every_look(page: Page, q: str, sample: Sample) -> None:
    page.goto(f"/search?q={quote(q)}")
    assert_accessible(page, sample)


def test_the_header_suggests_while_typing_and_opens_a_page_by_keyboard(
    page: Page, sample: Sample
) -> None:
    page.goto("/nothing")  # the smallest page: axe reads all of it
    field = page.get_by_role("combobox", name="Search airlines")
    field.press_sequentially("jfk to or")
    options = page.get_by_role("option")
    expect(options.first).to_contain_text("JFK to MCO")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_text("5 suggestions")).to_be_attached()
    assert_accessible(page, sample)
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    chosen = options.first.get_attribute("id")
    expect(field).to_have_attribute("aria-activedescendant", chosen or "none")
    field.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_have_value("jfk to or")
    field.press("ArrowDown")
    expect(options.first).to_be_visible()
    field.press("ArrowDown")
    with page.expect_request(re.compile("/routes/JFK-MCO/")):
        field.press("Enter")


def test_a_suggestion_is_chosen_by_mouse(page: Page) -> None:
    page.goto("/")
    page.get_by_role("combobox", name="Search airlines").press_sequentially("hawa")
    with page.expect_request(re.compile("/airlines/HA/")):
        page.get_by_role("option").first.click()


def test_search_works_without_javascript(browser: Browser, site: Site) -> None:
    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto("/about")
        page.get_by_label("Search airlines").fill("9 Feb 2013")
        page.get_by_role("button", name="Search").click()
        assert urlsplit(page.url).path == "/search"
        expect(page.locator(".best")).to_contain_text("Saturday, 9 February 2013")
        page.get_by_role("link", name="Flight delay data: these rows in the explorer").click()
        expect(page.get_by_text("Rows 1 to 50 of 684")).to_be_visible()
