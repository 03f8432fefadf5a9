"""Fixtures: `demo` is shared and read-only, `fresh` belongs to one test; servers and a browser."""

import gc
import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from airsense import data_folder
from tests import planted, shared_demo
from tests.browser import Window, chromium, shared_window
from tests.platform import Platform, Site
from tests.platforms import own_platform
from tests.samples import Sample
from tests.warehouse.running import WarehouseServer, running

gc.disable()  # until the tests are collected: it takes half of the CPU time of the collection

# The files that take most CPU time run first, so that all test processes end about together.
LONGEST = (
    "test_running",
    "test_browser",
    "test_embedded",
    "test_admin_browser",
    "test_transfers",
    "test_faults",
    "test_publishing",
    "test_connectors",
    "test_attacks",
    "test_api_pages",
    "test_scanners",
    "test_backup",
    "test_tables",
    "test_databricks",
    "test_decompression_bombs",
    "test_warehouses",
    "test_quality",
    "test_broker_months",
    "test_places_browser",
    "test_postgresql_faults",
    "test_publication",
    "test_export_faults",
    "test_ask_questions",
    "test_replica",
    "test_json_bodies",
    "test_page_weight",
    "test_explorer",
    "test_status_page",
    "test_gateway",
    "test_containers",
    "test_schedules",
    "test_bucket_exports",
    "test_exports",
    "test_citations",
    "test_schema",
    "test_search_page",
    "test_jobs",
    "test_search",
    "test_background_exports",
    "test_second_factor",
    "test_preview",
    "test_pages",
    "test_admin",
    "test_places",
    "test_broker",
    "test_first_client",
    "test_stopped_dependencies",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish() -> None:
    """Exclude tests and libraries from garbage collection, because they stay in memory.

    It runs rarely: at Python's threshold of 700 objects it takes a tenth of the CPU time.
    """
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests may use the database of `demo` from their own process; nothing is rolled back."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_logs(django_db_setup: None) -> Iterator[None]:
    """Search the logs of the tests and the servers; those of other processes when they end."""
    servers_logs = data_folder.folder() / "logs"
    for log in servers_logs.glob("*.log"):
        planted.skip(log)
    planted.add(settings.DATABASES["reader"]["PASSWORD"])
    own = planted.Search()
    logging.getLogger().addHandler(own)
    yield
    logging.getLogger().removeHandler(own)
    assert own.leaks == []
    for log in servers_logs.glob("*.log"):
        planted.search(log)


@pytest.fixture(scope="session")
def demo() -> Iterator[Platform]:
    """The platform of this process's settings with all tables of the demo data published."""
    own = Platform(env={})
    shared_demo.publish(own)
    yield own
    own.remove()


@pytest.fixture(scope="session")
def site(demo: Platform) -> Iterator[Site]:
    """Two web processes over the demo data."""
    with demo.site() as site:
        yield site


@pytest.fixture
def fresh() -> Iterator[Platform]:
    """A platform with an empty database and no warehouse yet."""
    with own_platform() as own:
        yield Platform(dict(own.env))  # a test may set another warehouse


@pytest.fixture(scope="module")
def warehouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseServer]:
    """A server that speaks Databricks' protocol; the tests of a file share it."""
    with running(tmp_path_factory.mktemp("warehouse")) as server:
        yield server


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.deep)], ids=["some", "every"])
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(request.node.name, request.param)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def window(browser: Browser, site: Site) -> Iterator[Window]:
    with shared_window(browser, site.url) as window:
        yield window


@pytest.fixture
def page(window: Window) -> Iterator[Page]:
    with window.lent() as page:
        yield page
