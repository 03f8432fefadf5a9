"""The admin in a real browser: accessible pages, and progress bars that update."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from flights.tables import NAMES, TABLES
from tests.browser import Window, assert_accessible, opened, shared_window
from tests.platform import Site
from tests.platforms import own_platform
from tests.samples import Sample

PAGES = [
    "/admin/",
    "/admin/transfers/transfer/",
    "/admin/transfers/transfer/1/change/",
]
MORE_PAGES = [
    "/admin/transfers/transfer/start/",
    "/admin/flights/tableversion/1/roll-back/",
    "/admin/django_celery_beat/periodictask/",
    "/admin/transfers/warehousejob/ingest/",
    "/admin/transfers/alert/",
    "/admin/flights/tableversion/",
    "/admin/flights/flightdelaydata/",
    "/admin/django_celery_beat/periodictask/1/change/",
    "/admin/django_celery_beat/periodictask/housekeeping/",
    "/admin/auth/user/1/change/",
    "/admin/auth/group/1/change/",
    "/admin/authtoken/tokenproxy/",
    "/admin/authtoken/tokenproxy/add/",
    "/admin/transfers/warehousejob/",
    "/admin/flights/apikey/",
    "/admin/flights/apikey/add/",
]
SUPERUSER = (
    "from django.contrib.auth.models import User;"
    "User.objects.create_superuser('boss', password='of the browser')"
)


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with own_platform() as own:
        own.python(SUPERUSER)
        own.ingest("2013-01-07,Alpha,X,Y,10,5\n2013-01-08,Beta,Y,X,1,2")
        own.manage("transfer", "delays_by_day", "flight_delay_data")
        with own.running("worker"), own.running("beat"), own.site(1) as site:
            yield site


@pytest.fixture(scope="module")
def session(browser: Browser, running: Site) -> StorageState:
    """The cookies of a logged-in user."""
    with opened(browser, running.url) as page:
        page.goto("/admin/")
        page.locator("#id_username").fill("boss")
        page.locator("#id_password").fill("of the browser")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        return page.context.storage_state()


@pytest.fixture(scope="module")
def window(browser: Browser, running: Site, session: StorageState) -> Iterator[Window]:
    with shared_window(browser, running.url, storage_state=session) as window:
        yield window


@pytest.mark.parametrize(
    "path", [*PAGES, *(pytest.param(path, marks=pytest.mark.deep) for path in MORE_PAGES)]
)
def test_a_page_of_the_admin_is_accessible_in_every_look(
    page: Page, path: str, sample: Sample
) -> None:
    page.goto(path)
    assert_accessible(page, sample)


def test_a_transfer_is_started_and_seen_to_its_end_without_reloading(page: Page) -> None:
    page.goto("/admin/transfers/transfer/")
    page.get_by_role("link", name="Start transfers").click()
    page.get_by_label("Run even if nothing has changed").check()
    page.get_by_role("button", name="Start transfers").click()
    expect(page.get_by_text(f"{len(TABLES)} transfers are queued.")).to_be_visible()
    rows = page.locator("#result_list tbody tr")
    for number in range(len(TABLES)):  # each row says that its transfer has ended
        expect(rows.nth(number)).to_contain_text("succeeded", timeout=30_000, ignore_case=True)
        expect(rows.nth(number)).not_to_contain_text("running", ignore_case=True)
    expect(page.locator("[data-active]")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("succeeded")  # screen readers say so
    # The message is still there, so the page was not loaded again.
    expect(page.get_by_text(f"{len(TABLES)} transfers are queued.")).to_be_visible()
    page.goto("/admin/flights/tableversion/")
    current = page.get_by_role("row", name="delays_by_day/2 current")
    expect(current).to_be_visible()
    expect(current.get_by_role("link", name="to this version")).to_have_count(0)
    older = page.get_by_role("row", name="delays_by_day/1")
    expect(older.get_by_role("link", name="to this version")).to_be_visible()
    current.get_by_role("link").first.click()
    expect(page.get_by_text("Roll back to this version")).to_have_count(0)


def test_a_job_is_seen_to_its_end_without_reloading(page: Page) -> None:
    page.goto("/admin/transfers/warehousejob/build/")
    page.get_by_role("button", name="Build the final tables").click()
    row = page.locator("#result_list tbody tr").first
    expect(row).to_contain_text("up to date", timeout=30_000)
    expect(row).to_contain_text("succeeded", ignore_case=True)
    expect(page.get_by_text("The final tables will be built.")).to_be_visible()


def test_the_page_of_a_transfer_offers_what_is_possible_when_it_has_ended(page: Page) -> None:
    page.goto("/admin/transfers/transfer/start/")
    for name in NAMES[1:]:  # one table is enough
        page.get_by_label(name, exact=True).uncheck()
    page.get_by_label("Run even if nothing has changed").check()
    page.get_by_role("button", name="Start transfers").click()
    page.locator("#result_list tbody tr a").first.click()
    expect(page.get_by_role("link", name="Retry")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("link", name="Cancel")).to_have_count(0)
    expect(page.get_by_role("region", name="Log")).to_contain_text("published")


def test_a_list_updates_in_place_while_it_is_seen_and_not_while_it_is_hidden(page: Page) -> None:
    page.goto("/admin/django_celery_beat/periodictask/")
    page.locator("#result_list tbody").first.get_by_role("checkbox").check()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    see = """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate("document.querySelector('#result_list td').toggleAttribute('data-active')")
    page.evaluate(see, True)
    page.wait_for_timeout(2_500)  # longer than the pause between two updates
    assert fetched == []
    with page.expect_response(page.url):
        page.evaluate(see, False)
    expect(page.locator("[data-active]")).to_have_count(0)  # the server's page has none
    expect(page.locator("#result_list tbody").first.get_by_role("checkbox")).to_be_checked()


def test_a_schedule_is_made_by_choices_and_shows_its_next_run(page: Page, sample: Sample) -> None:
    page.goto("/admin/django_celery_beat/periodictask/add/")
    assert_accessible(page, sample)
    page.set_viewport_size({"width": 1400, "height": 900})  # wide enough for all actions
    expect(page.get_by_role("textbox", name="Cron expression")).to_be_hidden()
    page.get_by_label("Name").fill(sample.name)
    page.get_by_label("The whole pipeline").check()
    expect(page.get_by_label("delays_by_day")).to_be_hidden()
    page.get_by_label("Time zone").fill("New York")
    page.get_by_role("button", name="Save and continue editing").click()
    sentence = "Every day at 06:00 New York time: download the newest months, ingest, build"
    expect(page.get_by_text(f"{sentence} and transfer all tables.").last).to_be_visible()
    expect(
        page.get_by_text(re.compile(r"06:00 New York time \(1[01]:00 UTC\)")).last
    ).to_be_visible()
    expect(page.get_by_role("link", name="Pause")).to_be_visible()
    expect(page.get_by_role("link", name="Resume")).to_have_count(0)


def test_people_log_in_without_scripts(browser: Browser, running: Site) -> None:
    with opened(browser, running.url, java_script_enabled=False) as page:
        page.goto("/admin/")
        page.get_by_label("Username").fill("boss")
        page.get_by_label("Password").fill("of the browser")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="The last week")).to_be_visible()


def test_a_table_is_rolled_back_by_keyboard(page: Page) -> None:
    page.goto("/admin/flights/tableversion/1/roll-back/")
    expect(page.get_by_role("row", name="rows")).to_be_visible()
    page.get_by_role("button", name="Roll back").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("is current again")).to_be_visible()


def test_a_key_is_made_seen_once_and_revoked(page: Page, sample: Sample) -> None:
    page.goto("/admin/flights/apikey/add/")
    page.get_by_label("Name").fill(sample.name)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("The key")).to_have_value(re.compile(r"airsense_[\w-]{43}"))
    assert_accessible(page, sample)
    page.get_by_role("link", name="Back to the list").click()
    row = page.get_by_role("row", name=sample.name)
    expect(row).to_contain_text("valid")
    row.get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option("revoke")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("row", name=sample.name)).to_contain_text("revoked")
