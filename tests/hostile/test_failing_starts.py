"""`manage.py run` serves published versions whatever fails at start, and retries."""

import os
import signal
from pathlib import Path

import pytest

from tests.platform import until
from tests.runs import Run, running

PAGE = "/api/delays_by_day/?limit=7"
NOWHERE = "redis://127.0.0.1:1/0"  # nothing listens there
pytestmark = [pytest.mark.deep, pytest.mark.timeout(400)]


def child(run: Run, name: str) -> int:
    """The process of a command, the oldest where it has processes of its own."""
    commands = ((pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in run.processes())
    return min(pid for pid, command in commands if f"\0{name}\0".encode() in command)


def test_published_versions_are_served_without_warehouse_queue_or_transfer(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home) as first:
        before = first.up().site.get(PAGE).json()["results"]
    broken = {"WAREHOUSE_URL": "duckdb:///dev/null/warehouse", "REDIS_URL": NOWHERE}
    with running(home, settings=broken) as run:
        assert run.up().site.get(PAGE).json()["results"] == before
        assert "/dev/null/warehouse" in run.output()
        assert "prepare ended with code 1" in run.output()
        os.kill(child(run, "serve"), signal.SIGKILL)
        until(lambda: "serve ended with code -9" in run.output())
        until(lambda: run.is_served(PAGE), seconds=60)


def test_a_table_that_was_never_published_is_answered_with_503_until_it_can_be(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / "warehouse").write_text("This is no folder.")
    with running(home) as run:
        run.up()
        until(lambda: "delays_by_day                is not published yet" in run.output())
        response = run.site.get(PAGE)
        assert response.status == 503
        assert "has not been transferred" in response.json()["detail"]
        (home / "warehouse").unlink()
        until(lambda: run.is_served(PAGE), seconds=120)
        until(lambda: "prepare has succeeded now" in run.output())
