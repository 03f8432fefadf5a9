"""What people see in a terminal: the help of `manage.py`, and bars that fit 80 columns."""

import io
import re

import pytest
from django.core.management import get_commands
from rich.console import Console
from rich.progress import TimeRemainingColumn

from airsense.command_help import COMMANDS
from airsense.data_folder import PROJECT
from tests import commands
from transfers import bars, job_bars, terminal

OURS = {name for names in COMMANDS.values() for name in names}


def test_the_help_describes_each_of_our_commands_in_a_line() -> None:
    ours = {name for name, app in get_commands().items() if app in APPS}
    assert ours == OURS
    documented = set(re.findall(r"^\| `(\w+)", (PROJECT / "docs/commands.md").read_text(), re.M))
    assert documented == OURS
    for arguments in ((), ("--help",), ("help",)):
        lines = commands.run(PROJECT / "manage.py", arguments, {}, seconds=60).stdout.splitlines()
        described = {line.split()[0] for line in lines if re.match(r"  \w+ {2,}\S", line)}
        assert described == OURS
        assert max(map(len, lines)) <= 80


APPS = ("airsense", "flights", "transfers")


@pytest.mark.parametrize("width", [80, 200])
def test_progress_bars_fit_the_terminal_and_cut_names_but_no_numbers(width: int) -> None:
    console = Console(width=width, force_terminal=True, file=io.StringIO(), color_system=None)
    columns = (job_bars.Amount(), job_bars.Speed(), TimeRemainingColumn())
    display = bars.display(console, "{task.description}", *columns)
    name = "transfer busiest_airports_by_delays"
    display.add_task(name, total=2_400_000, completed=1_200_000, unit="rows", rate=999_999)
    with console.capture() as captured:
        console.print(display.get_renderable())
    (line,) = captured.get().splitlines()
    assert len(line) <= width
    assert "1,200,000 of 2,400,000 rows 999,999 rows/s -:--:--" in line
    assert (name in line) is (width == 200)


def test_a_bar_of_an_unknown_total_shows_the_count() -> None:
    console = Console(width=80, force_terminal=True, file=io.StringIO(), color_system=None)
    with bars.display(console, "{task.description}", terminal.Amount()) as display:
        task = display.add_task("delays_by_day", total=0, phase="copying")
        display.update(task, completed=1_234)
        with console.capture() as captured:
            console.print(display.get_renderable())
    assert "1,234 rows" in captured.get()


def test_no_bars_are_drawn_if_the_output_is_not_a_terminal() -> None:
    console = Console(file=io.StringIO())
    with bars.display(console, "{task.description}") as display:
        display.add_task("x", total=1)
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]
