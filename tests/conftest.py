"""Fixtures of two platforms: `demo` is shared and read-only, `fresh` belongs to one test."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests import shared_demo
from tests.platform import Platform, Site
from tests.platforms import own_platform

# The longest files run first, so that all test processes end at about the same time.
LONGEST = (
    "test_faults",
    "test_running",
    "test_transfers",
    "test_export_faults",
    "test_embedded",
    "test_databricks",
    "test_admin_browser",
    "test_bucket_exports",
    "test_postgresql_faults",
    "test_decompression_bombs",
    "test_warehouses",
    "test_browser",
    "test_jobs",
    "test_schedules",
    "test_unpublishable_records",
    "test_publishing",
    "test_scanners",
    "test_containers",
    "test_left_exports",
    "test_search",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests may use the database of `demo` from their own process; nothing is rolled back."""
    with django_db_blocker.unblock():
        yield


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
        yield Platform(dict(own.env))  # a test may lead it to another warehouse
