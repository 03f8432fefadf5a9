"""A command in the process that was forked for it (tests.fork_server)."""

import atexit
import ctypes
import os
import runpy
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

from tests import loaded_django

PROJECT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1


def run(command: list[str], env: dict[str, str], output: str, errors: str) -> NoReturn:
    """Run a command in this process, and start and end it as Python does."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    for number, file in ((1, output), (2, errors)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.argv = command
    loaded_django.take(env)
    code = 1
    try:
        code = _exit_code(command[0])
        threading._shutdown()  # type: ignore[attr-defined]  # wait for its threads
        atexit._run_exitfuncs()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(program: str) -> int:
    try:
        _run_program(program)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001  # as Python does for a program
        traceback.print_exc()
        return 1
    return 0


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
