"""Secrets in the environment of all processes that tests start, and the search for them in logs.

Logs are searched as soon as their process has ended. The mark by which the formatters replace
secrets (flights.log_secrets) counts, too: code must not need this safety net.
"""

import logging
import os
import re
import secrets
from pathlib import Path

from flights.log_secrets import MARK

_random = secrets.token_hex(16)
ENVIRONMENT = {
    name: f"planted-{name.lower().replace('_', '-')}-{_random}"
    for name in (
        *("SECRET_KEY", "METRICS_TOKEN", "DATABASE_PASSWORD", "DATABRICKS_TOKEN"),
        *("ASK_MODEL_KEY", "ALERT_WEBHOOK_SECRET"),
    )
}
API_KEY = r"airsense_[\w-]{43}"

# The log of platforms without a log of their own; tests.servers sets it for this process.
default_log = Path(os.devnull)

_values = {*ENVIRONMENT.values()}
_searched: dict[Path, int] = {}  # bytes of each log


def add(value: str) -> str:
    """Search for a secret that a test has made, too; returns it."""
    _values.add(value)
    return value


def leaks(text: str) -> list[str]:
    """The lines of a text that contain a secret."""
    pattern = re.compile("|".join([*map(re.escape, _values), re.escape(MARK), API_KEY]))
    return [line for line in text.splitlines() if pattern.search(line)]


def search(log: Path) -> None:
    """Fail if what was written to a log since the last search contains a secret."""
    if not log.is_file():
        return
    with log.open("rb") as file:
        file.seek(_searched.get(log, 0))
        new = file.read()
        _searched[log] = file.tell()
    assert not leaks(new.decode(errors="replace")), log


def skip(log: Path) -> None:
    """Search only what is written to a log from now on."""
    if log.is_file():
        _searched[log] = log.stat().st_size


class Search(logging.Handler):
    """Searches the log lines of the tests' own process."""

    def __init__(self) -> None:
        super().__init__()
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.leaks += leaks(self.format(record))
