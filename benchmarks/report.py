"""Write a benchmark's results and environment into its section of docs/benchmarks.md."""

import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg

from airsense.data_folder import PROJECT
from benchmarks.peers.gateways import BIN
from benchmarks.target import Target
from tests.nginx import program

FILE = PROJECT / "docs" / "benchmarks.md"
OURS = ("django", "djangorestframework", "granian", "psycopg")
PEERS = ("flask", "sqlalchemy", "gunicorn", "datasette", "roapi", "djangorestframework", "locust")


def number(value: float) -> str:
    return f"{value:,.0f}"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table."""
    return [_row(head), "|---" * len(head) + "|", *map(_row, lines)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(name: str, lines: Sequence[str], file: Path = FILE, command: str = "make bench") -> None:
    """Replace the section `name` of a page, by default docs/benchmarks.md."""
    begin, end = f"<!-- {name}: written by {command} -->", f"<!-- end of {name} -->"
    section = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    text, count = section.subn(lambda _: "\n".join([begin, *lines, end]), file.read_text())
    assert count == 1, f"{file} has {count} sections of {name}"
    file.write_text(text)


def environment(target: Target, command: str, seconds: float) -> list[str]:
    """A paragraph with the date, the command, the machine and all versions."""
    return [
        f"{setting(target, command)} {seconds:g} s per lane; the machine also runs the load"
        f" generators. Peers: {', '.join(_peers())}; tools: {', '.join(_tools())}.",
    ]


def setting(target: Target, command: str) -> str:
    """The date, the command, the machine and the versions of what is measured."""
    with psycopg.connect(target.database) as connection:
        postgresql = (connection.info.parameter_status("server_version") or "").split()[0]
    ours = [f"{name} {version(name)}" for name in OURS]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`."
        f" {_machine()}, {platform.system()} {platform.release()}."
        f" Python {platform.python_version()}, {', '.join(ours)}, PostgreSQL {postgresql}."
    )


def machine(about: str) -> str:
    """A line with the date, what ran, and the machine."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {about} {_machine()}, {platform.release()}."


def _machine() -> str:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    assert memory
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    name = cpu[1].strip() if cpu else platform.machine()
    return f"{cores} cores ({name}), {int(memory[1]) / 2**20:.0f} GB"


def _peers() -> list[str]:
    code = f"from importlib.metadata import version as v\nfor n in {PEERS}: print(n, v(n))"
    return _output([BIN / "python", "-c", code]).splitlines()


def _tools() -> list[str]:
    commands = {"wrk": ["wrk", "-v"], "nginx": [program(), "-v"], "pgbench": ["pgbench", "-V"]}
    versions = {
        name: re.search(r"\d+(\.\d+)+", _output(command)) for name, command in commands.items()
    }
    return [f"{name} {version[0]}" for name, version in versions.items() if version]


def _output(command: Sequence[str | Path]) -> str:
    """Standard output and errors of a command. `wrk -v` exits with an error."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout.strip()
