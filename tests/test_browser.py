"""The pages in a real browser: main paths by mouse and keyboard, every look, no JavaScript."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Window, assert_accessible, opened, shared_window
from tests.platform import Platform, Site
from tests.samples import EVERY, Sample

AIRPORTS = "/explorer?table=busiest_airports_by_delays"
# Every public page; a test checks each of them in every look.
PAGES = [
    "/",
    f"{AIRPORTS}&Total_Arrivals__gte=1000&City__icontains=a&order_by=-Total_Avg_Delay&columns=City",
    "/explorer?table=airline_performance&view=chart",
    "/explorer?table=flight_delay_data&group_by=month:Flight_Date,Origin&view=chart&language=graphql",
    "/ask?q=which+airline+is+worst+at+LGA+in+July",
    "/chat?q=best+airline+from+newark&q=and+on+mondays&q=the+cheapest",
    "/nothing",
]
MORE_PAGES = [
    "/explorer?table=flight_delay_data&facets=Origin_City,Airline_Name&limit=10",
    "/explorer?table=delays_by_day&Total_Flights__gte=many",
    "/api/delays_by_day/?limit=2",
    "/about",
    "/ask",
    "/ask?q=cheapest+airline+to+miami",
    "/chat",
    "/explorer",
    "/explorer?table=flight_delay_data&Arrival_Delay_Minutes__isnull=true",
    "/explorer?table=flight_delay_data&group_by=Airline_Name&view=chart",
    "/explorer?table=delays_by_day&Day_of_Week=Someday",
    "/api/",
    "/api/delays_by_day/?limit=many",
]

# Whether the middle of the focused element belongs to it, and not to something above it.
IS_VISIBLE = """(() => {
    const focused = document.activeElement, box = focused.getBoundingClientRect();
    const x = box.x + Math.min(box.width / 2, 20), y = box.y + box.height / 2;
    const top = document.elementFromPoint(x, y);
    return focused === document.body || focused.contains(top) || top?.contains(focused);
})()"""


@pytest.fixture(scope="module")
def window(browser: Browser, site: Site) -> Iterator[Window]:
    clipboard = ["clipboard-read", "clipboard-write"]
    with shared_window(browser, site.url, permissions=clipboard) as window:
        yield window


@pytest.mark.parametrize(
    "path", [*PAGES, *(pytest.param(path, marks=pytest.mark.deep) for path in MORE_PAGES)]
)
def test_a_page_is_accessible_in_every_look(page: Page, path: str, sample: Sample) -> None:
    page.goto(path)
    assert_accessible(page, sample)


@pytest.mark.deep  # tests.test_pages reads them without a browser
def test_pages_without_data_say_what_to_do(browser: Browser, fresh: Platform) -> None:
    with fresh.site(processes=1) as site, opened(browser, site.url) as page:
        for path in ("/", "/explorer", "/about"):
            page.goto(path)
            assert_accessible(page, EVERY)
        page.goto("/")
        expect(page.get_by_text("manage.py transfer --all")).to_be_visible()


def test_the_explorer_works_by_mouse_from_the_home_page_on(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Explore busiest airports by delays").click()
    expect(page.get_by_text("Rows 1 to 50")).to_be_visible()
    page.goto(f"{AIRPORTS}&Total_Arrivals__gte=1000&limit=10&view=chart")
    expect(page.locator(".wide-chart .mark")).to_have_count(10)
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Rows 11 to 20")).to_be_visible()
    page.get_by_role("link", name="Total Departures").click()
    expect(page.get_by_role("columnheader", name="Total Departures")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_role("link", name="Total Arrivals ≥ 1000").click()
    assert "Total_Arrivals" not in urlsplit(page.url).query


def test_a_question_and_its_follow_up_are_answered(page: Page) -> None:
    page.goto("/ask")
    page.get_by_role("textbox", name="Your question").fill("which airline is best from newark")
    page.get_by_role("button", name="Ask").first.click()
    expect(page.locator(".says")).to_contain_text("Alaska Airlines Inc. (AS): 84.73 % of 714")
    page.get_by_role("textbox", name="Ask a follow-up").fill("and on Mondays?")
    page.get_by_role("textbox", name="Ask a follow-up").press("Enter")
    expect(page.locator(".says")).to_contain_text("on Mondays in 2013")
    page.get_by_role("link", name="Open the query").click()
    expect(page.get_by_text("Airline_Code").first).to_be_visible()


@pytest.mark.deep  # the explorer stays as the example of a page without JavaScript
def test_a_conversation_works_without_javascript(browser: Browser, site: Site) -> None:
    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto("/chat")
        page.get_by_role("textbox", name="Your question").fill("how late is delta")
        page.get_by_role("button", name="Ask").first.click()
        page.get_by_role("textbox", name="Go on").fill("and to Atlanta?")
        page.get_by_role("button", name="Ask").first.click()
        expect(page.locator(".says")).to_have_count(2)
        expect(page.locator(".says").last).to_contain_text("to Atlanta (ATL)")


def test_show_keeps_a_grouping(page: Page) -> None:
    page.goto("/explorer?table=flight_delay_data&group_by=Airline_Name&aggregate=count")
    page.get_by_label("Sort by").select_option("count, descending")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr").first).to_contain_text("United Air Lines Inc.")
    expect(page.get_by_text("Groups 1 to 16 of 16")).to_be_visible()


def test_a_filter_leads_to_an_address_that_shows_the_same_again(page: Page) -> None:
    page.goto(AIRPORTS)
    page.get_by_label("City: operator").select_option("starts with")
    page.get_by_label("City: value").fill("San")
    page.get_by_label("Total Arrivals: from").fill("1000")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Total Departure Delay", exact=True).uncheck()
    page.get_by_label("Sort by").select_option("Total Avg Delay, descending")
    page.get_by_role("button", name="Show").click()
    rows = page.locator("tbody tr").all_inner_texts()
    assert rows
    assert all(row.startswith("San") for row in rows)
    page.goto(page.url)
    assert page.locator("tbody tr").all_inner_texts() == rows
    expect(page.get_by_label("Total Arrivals: from")).to_have_value("1000")
    expect(page.get_by_label("Total Departure Delay", exact=True)).not_to_be_checked()


def test_the_copied_address_returns_the_displayed_rows(page: Page) -> None:
    page.goto(f"{AIRPORTS}&Total_Arrivals__gte=1000&limit=10")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator(".api [role=status]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    response = page.request.get(copied, headers={"Accept": "application/json"})
    cities = [row["City"] for row in response.json()["results"]]
    assert page.locator("tbody td:first-child").all_inner_texts() == cities


def test_an_example_is_copied_with_the_address_of_this_server(page: Page, site: Site) -> None:
    page.goto("/")
    page.get_by_role("button", name="Copy the command: The two days").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl '{site.url}/api/dynamic_query?")


def test_the_explorer_works_by_keyboard(page: Page) -> None:
    page.goto(AIRPORTS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    _tab_to(page, "City:text")
    page.keyboard.type("Boston")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    _tab_to(page, "", "Chart")
    page.keyboard.press("Enter")
    expect(page.locator(".wide-chart .mark")).to_have_count(1)
    _tab_to(page, "", "Copy")
    page.keyboard.press("Space")
    expect(page.locator(".api [role=status]")).to_have_text("Copied")


def test_on_a_phone_the_form_is_folded_until_it_is_opened(browser: Browser, site: Site) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with opened(browser, site.url, **phone) as page:
        page.goto(AIRPORTS)
        expect(page.get_by_role("button", name="Show")).to_be_hidden()
        page.get_by_text("Filter, summarise, sort").tap()
        page.get_by_label("City: value").fill("Boston")
        page.get_by_role("button", name="Show").tap()
        expect(page.locator("tbody tr")).to_have_count(1)


def test_no_sticky_part_hides_the_focus(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 600})
    page.emulate_media(reduced_motion="reduce")  # otherwise the page is still scrolling
    page.goto("/explorer?table=flight_delay_data&group_by=Airline_Name&limit=100")
    page.locator(".summarise summary").focus()
    for _ in range(70):
        page.keyboard.press("Tab")
        assert page.evaluate(IS_VISIBLE), page.evaluate("document.activeElement.outerHTML")


def test_the_head_of_the_table_stays_in_view(page: Page) -> None:
    page.goto("/explorer?table=flight_delay_data&limit=100")
    head = page.get_by_role("columnheader", name="Airline Name")
    above = page.locator(".rows").bounding_box()
    page.locator(".rows").evaluate("rows => { rows.scrollTop = 1000 }")
    below = head.bounding_box()
    assert above
    assert below
    assert 0 <= below["y"] - above["y"] < 20


def test_counts_that_take_long_replace_the_first_ones(page: Page) -> None:
    page.goto("/explorer?table=flight_delay_data&Tail_Number__icontains=n1&facets=Origin&limit=10")
    expect(page.locator("#counted")).not_to_contain_text("More than")
    expect(page.locator("#facets li")).to_have_count(3)
    page.locator("#facets").get_by_role("link", name="EWR").click()
    assert "Origin=EWR" in urlsplit(page.url).query
    expect(page.locator("tbody tr")).to_have_count(10)


def test_a_question_is_answered_by_clicking(page: Page) -> None:
    """The worst hour at LaGuardia: 58.82 % of the flights at 22 are less than 15 minutes late."""
    page.goto("/explorer?table=performance_by_hour&facets=airport")
    assert page.evaluate("scrollY") == 0
    page.get_by_role("region", name="Most frequent values").get_by_role("link", name="LGA").click()
    page.get_by_role("link", name="On Time Percent").click()
    page.get_by_role("link", name="On Time Percent").click()
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("22")
    expect(first).to_contain_text("58.8")
    page.get_by_role("link", name="Chart").click()
    expect(page.locator(".wide-chart .mark").first).to_be_visible()


def test_the_explorer_works_without_javascript(browser: Browser, site: Site) -> None:
    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto(AIRPORTS)
        page.get_by_label("City: value").fill("Boston")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.get_by_role("button", name="Copy", exact=True)).to_be_hidden()


def _tab_to(page: Page, name: str, text: str = "") -> None:
    """Press Tab until the control of this name, or with this text, has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("[document.activeElement.name, document.activeElement.innerText]")
        if focused[0] == name if name else focused[1] == text:
            return
    pytest.fail(f"{name or text} cannot be reached by Tab")
