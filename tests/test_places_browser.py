"""The pages about things in a browser: main paths, every look, no JavaScript."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import assert_accessible, opened
from tests.platform import Site
from tests.samples import Sample

PAGES = ["/routes/JFK-MCO/"]  # has most kinds of charts, and the explorer has the map
MORE_PAGES = [
    "/airports/LGA/",
    "/connections/?from=LGA&via=ORD&minutes=45",
    "/routes/JFK-XXX/",
    "/routes/NYC-CHI/?month=7&weekday=Friday",
    "/airlines/B6/",
    "/flights/B6-583/",
    "/days/2013-02-09/",
    "/compare/?a=B6&b=DL",
    "/connections/",
    "/routes/",
    "/airlines/",
    "/airports/",
    "/days/",
]

# What people enter in the forms of the home page and of comparisons.
FLIGHT = {"From": "JFK", "Day or month": "July", "To": "Orlando"}
COMPARISON = {"Compare": "JetBlue", "With": "Delta"}


@pytest.mark.parametrize(
    "path", [*PAGES, *(pytest.param(path, marks=pytest.mark.deep) for path in MORE_PAGES)]
)
def test_a_page_about_a_thing_is_accessible_in_every_look(
    page: Page, path: str, sample: Sample
) -> None:
    page.goto(path)
    assert_accessible(page, sample)


def test_links_lead_from_the_airports_to_a_flight(page: Page) -> None:
    page.goto("/airports/?direction=departing")
    page.get_by_role("cell").get_by_role("link", name="New York (JFK)").click()
    page.get_by_role("cell").get_by_role("link", name="JFK–MCO").click()  # noqa: RUF001
    page.get_by_label("Airline", exact=True).select_option("JetBlue Airways (B6)")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".answer")).to_contain_text("18.07 % of 3,304 flights")
    page.get_by_role("cell").get_by_role("link", name="B6 583", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("B6 583, JetBlue Airways")


@pytest.mark.parametrize(
    ("path", "fields", "scripts"),
    [
        ("/", FLIGHT, True),
        ("/compare/", COMPARISON, False),
        pytest.param("/", FLIGHT, False, marks=pytest.mark.deep),
        pytest.param("/compare/", COMPARISON, True, marks=pytest.mark.deep),
    ],
)
def test_the_way_back_from_an_answer_keeps_what_was_entered(
    browser: Browser, site: Site, path: str, fields: dict[str, str], scripts: bool
) -> None:
    with opened(browser, site.url, java_script_enabled=scripts) as page:
        page.goto(path)
        form = page.get_by_role("main")
        for label, value in fields.items():
            form.get_by_label(label, exact=True).fill(value)
        form.get_by_label(label, exact=True).press("Enter")
        expect(page.locator(".answer")).to_be_visible()
        page.go_back()
        for label, value in fields.items():
            expect(form.get_by_label(label, exact=True)).to_have_value(value)


def test_a_map_states_its_values_by_keyboard(page: Page) -> None:
    page.goto("/airports/LGA/")
    chart = page.locator("#figure-map .wide-chart")
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#figure-map .chart-value")).to_contain_text("flights")


def test_a_connection_is_answered_without_javascript(browser: Browser, site: Site) -> None:
    with opened(browser, site.url, java_script_enabled=False) as page:
        page.goto("/connections/")
        page.get_by_label("From (airport)").fill("LaGuardia")
        page.get_by_label("Change at").fill("ord")
        page.get_by_label("Minutes between the flights").fill("75")
        page.get_by_role("button", name="Answer").click()
        expect(page.locator(".answer")).to_contain_text("of 8,857 flights from New York (LGA)")
        expect(page.locator("#figure-chances svg").first).to_be_visible()
