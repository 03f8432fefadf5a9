"""Old and new code side by side on one database while a table gains a column."""

import shutil
from pathlib import Path

import pytest

from airsense.data_folder import PROJECT
from tests.platform import Platform, Site, until

FIELD = """    doubled = models.BigIntegerField(db_column="Doubled", null=True, help_text="twice")

"""
COLUMN = ",\n  2 * Total_Flights AS Doubled\nFROM"
FLIGHTS = "2013-01-07,Alpha,A,B,10,20\n2013-01-07,Beta,B,A,NA,NA"


@pytest.fixture
def newer(fresh: Platform, tmp_path: Path) -> Platform:
    """The same platform run by newer code, in which delays_by_day has one more column."""
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    code = Path(shutil.copytree(PROJECT, tmp_path / "newer", ignore=ignored))
    models, broker = (
        code / "flights/models/mirrored/averages.py",
        code / "transfers/broker/delays_by_day.sql",
    )
    head, table, tail = models.read_text().partition("class DelaysByDay(")
    models.write_text(head + table + tail.replace("    mirror = ", FIELD + "    mirror = ", 1))
    assert broker.read_text().count("\nFROM") == 1
    broker.write_text(broker.read_text().replace("\nFROM", COLUMN))
    return Platform(fresh.env, code)


def test_old_and_new_code_read_the_versions_of_both(fresh: Platform, newer: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", "delays_by_day")
    newer.manage("setup")
    with fresh.site(processes=1) as old, newer.site(processes=1) as new:
        _both_answer(old, new, version=1, doubled=None)
        newer.manage("broker")
        newer.manage("transfer", "delays_by_day")
        _both_answer(old, new, version=2, doubled=4)
        fresh.manage("transfer", "delays_by_day", "--force")  # by a worker of the old code
        _both_answer(old, new, version=3, doubled=None)


def _both_answer(old: Site, new: Site, version: int, doubled: int | None) -> None:
    path = "/api/delays_by_day/"
    until(lambda: {site.get(path).json()["version"] for site in (old, new)} == {version})
    was, now = old.get(path).json(), new.get(path).json()
    (row,) = now["results"]
    assert row.pop("Doubled") == doubled
    assert was["results"] == [row]
    filtered = new.get(f"{path}?Doubled__gte=1&order_by=Doubled").json()["results"]
    assert len(filtered) == (doubled is not None)
    assert old.get(f"{path}?Doubled__gte=1").status == 400
