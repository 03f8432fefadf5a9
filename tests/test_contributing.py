"""The steps of CONTRIBUTING.md that add a table work as written."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from airsense.data_folder import PROJECT
from tests.platform import Platform
from transfers import warehouses

SECTION = re.compile(r"^## Add a table\n(.*?)^## ", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\d\. \*\*(\w+)\.\*\*(.*?)^   ```\w+\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
FLIGHTS = "2013-01-07,Alpha,A,B,10,20\n2013-01-07,Beta,A,B,NA,NA\n2013-01-08,Beta,B,A,1,2"


@pytest.fixture
def steps() -> dict[str, tuple[str, str]]:
    """The text and the code block of each step, by the step's title."""
    section = SECTION.search((PROJECT / "CONTRIBUTING.md").read_text())
    assert section
    blocks = STEP.findall(section[1])
    return {title: (text, textwrap.dedent(code)) for title, text, code in blocks}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project."""
    ignored = shutil.ignore_patterns(".?*", "__pycache__")
    return Path(shutil.copytree(PROJECT, tmp_path / "copy", ignore=ignored))


@pytest.mark.deep
@pytest.mark.parametrize("built_by", ["broker", "somebody else"])
def test_the_four_steps_add_a_table(
    fresh: Platform, copy: Path, steps: dict[str, tuple[str, str]], built_by: str
) -> None:
    assert list(steps) == ["SQL", "Class", "List", "Snapshot"]
    if built_by == "broker":
        (copy / _file(steps["SQL"])).write_text(steps["SQL"][1])
    with (copy / _file(steps["Class"])).open("a") as models:
        models.write("\n\n" + steps["Class"][1])
    tables = copy / _file(steps["List"])
    head, before, tail = tables.read_text().partition("]\n\nNAMES")
    tables.write_text(head + textwrap.indent(steps["List"][1], "    ") + before + tail)
    newer = Platform(fresh.env, copy)
    _run(newer, *steps["Snapshot"][1].split())

    assert [path.name for path in (copy / "flights/migrations").glob("*flightsbyroute.py")]
    assert "flights_by_route" in (copy / "docs/tables.md").read_text()
    _run(newer, "make", "formatted", "generated")
    newer.manage("setup")
    newer.ingest(FLIGHTS)
    if built_by != "broker":
        with warehouses.connect(newer.env["WAREHOUSE_URL"]).change() as change:
            change.execute(steps["SQL"][1])
    newer.manage("transfer", "--all")
    with newer.site(processes=1) as site:
        query = "/api/flights_by_route/?Total_Flights__gte=2"
        assert site.get(query).json()["results"] == [
            {"Origin_City": "A", "Destination_City": "B", "Total_Flights": 2}
        ]
        assert site.get("/api/flights_by_route/describe").json()["columns"][2]["unit"] == "flights"


def _file(step: tuple[str, str]) -> str:
    """The file that the text of a step names first."""
    file = re.search(r"`([\w/]+\.\w+)`", step[0])
    assert file
    return file[1]


def _run(platform: Platform, make: str, *targets: str) -> None:
    """Run targets of the copy's Makefile with this environment's Python."""
    arguments = [f"venv={sys.prefix}", f"--assume-old={sys.prefix}/dev.installed"]
    command = [make, "--directory", str(platform.code), *arguments, *targets]
    env = {**os.environ, **platform.env}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
