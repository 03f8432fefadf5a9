"""Run `manage.py` commands in processes that are forked with the libraries already loaded.

Most commands take longer to import the libraries than to run, and tests run hundreds of them.
"""

import atexit
import ctypes
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from multiprocessing.context import ForkServerProcess
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1
# Only modules that read no settings when they are imported.
LIBRARIES = [
    "boto3",
    "celery.app.base",
    "celery.app.builtins",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.fixups.django",
    "celery.worker.components",
    "celery.worker.consumer",
    "cron_descriptor",
    "crontab",
    "csp.middleware",
    "databricks.sql",
    "django.contrib.admin.options",
    "django.contrib.auth.hashers",
    "django.contrib.humanize.templatetags.humanize",
    "django.contrib.postgres.fields",
    "django.contrib.postgres.search",
    "django.core.handlers.wsgi",
    "django.core.management",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.db.migrations.executor",
    "django.db.migrations.writer",
    "django.forms",
    "django.test.testcases",
    "django.views.generic",
    "django_filters",
    "drf_spectacular.utils",
    "duckdb",
    "environ",
    "granian.server",
    "graphql",
    "jinja2",
    "kombu.transport.redis",
    "lark",
    "openpyxl",
    "psutil",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pythonjsonlogger.orjson",
    "rapidfuzz",
    "regex",
    "requests",
    "rest_framework.relations",
    "rest_framework.serializers",
    "resvg_py",
    "rich.console",
    "rich.live",
    "rich.progress",
    "segno",
    "sqlglot.dialects.databricks",
    "sqlglot.dialects.duckdb",
    "storages.backends.s3",
    "thrift.Thrift",
    "tomllib",
    "unfold.dataclasses",
    "whitenoise.middleware",
]
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([*LIBRARIES, "tests.preloaded"])


class Command:
    """A command that runs, alone in its process group. It ends when the test's process does."""

    def __init__(self, command: list[str], env: dict[str, str], out: Path, errors: Path) -> None:
        self._process: ForkServerProcess = _processes.Process(
            target=_execute, args=(command, env, str(out), str(errors))
        )
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        self._process.join(seconds)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("manage.py", seconds or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    program: Path | str, arguments: tuple[str, ...], env: dict[str, str], seconds: float
) -> "subprocess.CompletedProcess[str]":
    """Run a script or a module of the tests, and return its output; kill it after `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "stdout"), Path(folder, "stderr")
        process = Command([str(program), *arguments], env, output, errors)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())


def _execute(command: list[str], env: dict[str, str], output: str, errors: str) -> None:
    """Run a script, or a module of the tests, as Python does at start and exit."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    for number, file in ((1, output), (2, errors)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    multiprocessing.set_start_method(None, force=True)  # as in a process that just starts
    os.environ.clear()
    os.environ.update(env)
    sys.argv = command
    try:
        _run_program(command[0])
    finally:
        atexit._run_exitfuncs()


def _run_program(name: str) -> None:
    folder = Path(name).parent
    if not name.endswith(".py"):
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        return
    if folder != PROJECT:
        _forget_own_modules()
    sys.path.insert(0, str(folder))
    runpy.run_path(name, run_name="__main__")


def _forget_own_modules() -> None:
    """Let a copy of the project load its own modules, not those that `tests.preloaded` loaded."""
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("airsense", "flights", "transfers"):
            del sys.modules[name]
