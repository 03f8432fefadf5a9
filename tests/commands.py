"""Commands of `manage.py`, each in a process of its own that has the libraries from the beginning.

To load them takes most commands more time than what they do, and tests run hundreds of commands.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

# What reads no settings when it is loaded.
LIBRARIES = [
    "celery.app.base",
    "celery.app.builtins",
    "databricks.sql",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.migrations.executor",
    "django.forms",
    "django.views.generic",
    "django_filters",
    "duckdb",
    "environ",
    "kombu.transport.redis",
    "psycopg_pool",
    "pyarrow.compute",
    "pyarrow.parquet",
    "requests",
    "rich.console",
]
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(LIBRARIES)


def run(
    manage: Path, arguments: tuple[str, ...], env: dict[str, str], seconds: float
) -> "subprocess.CompletedProcess[str]":
    """What a command says; it is killed where it takes longer."""
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder, "stdout"), Path(folder, "stderr")
        process = _processes.Process(
            target=_execute, args=([str(manage), *arguments], env, str(said), str(complained))
        )
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, seconds)
        return subprocess.CompletedProcess(
            arguments, process.exitcode, said.read_text(), complained.read_text()
        )


def _execute(command: list[str], env: dict[str, str], said: str, complained: str) -> None:
    """What Python does when it is started, and when it ends."""
    for number, file in ((1, said), (2, complained)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = command
    sys.path.insert(0, str(Path(command[0]).parent))
    try:
        runpy.run_path(command[0], run_name="__main__")
    finally:
        atexit._run_exitfuncs()
