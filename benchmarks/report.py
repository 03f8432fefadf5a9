"""What a benchmark found, as a section of docs/benchmarks.md with how and where it was found."""

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
    return [_row(head), "|---" * len(head) + "|", *map(_row, lines)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(name: str, found: Sequence[str]) -> None:
    """Put it in the place of the section's last findings."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    section = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    text, count = section.subn(lambda _: "\n".join([begin, *found, end]), FILE.read_text())
    assert count == 1, f"{FILE} has {count} sections of {name}"
    FILE.write_text(text)


def circumstances(target: Target, command: str, seconds: float) -> list[str]:
    """Date, command, machine and versions."""
    with psycopg.connect(target.database) as connection:
        postgresql = (connection.info.parameter_status("server_version") or "").split()[0]
    ours = [f"{name} {version(name)}" for name in OURS]
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`, {seconds:g} s a lane. {_machine()},"
        f" {platform.system()} {platform.release()}; load generators beside the servers."
        f" Python {platform.python_version()}, {', '.join(ours)}, PostgreSQL {postgresql};"
        f" beside them {', '.join(_peers())}; {', '.join(_tools())}.",
    ]


def _machine() -> str:
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    assert memory
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    name = cpu[1].strip() if cpu else platform.machine()
    return f"{cores} cores ({name}), {int(memory[1]) / 2**20:.0f} GB"


def _peers() -> list[str]:
    code = f"from importlib.metadata import version as v\nfor n in {PEERS}: print(n, v(n))"
    return _said([BIN / "python", "-c", code]).splitlines()


def _tools() -> list[str]:
    asked = {"wrk": ["wrk", "-v"], "nginx": [program(), "-v"], "pgbench": ["pgbench", "-V"]}
    found = {name: re.search(r"\d+(\.\d+)+", _said(ask)) for name, ask in asked.items()}
    return [f"{name} {version[0]}" for name, version in found.items() if version]


def _said(command: Sequence[str | Path]) -> str:
    """wrk tells its version as a failure."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout.strip()
