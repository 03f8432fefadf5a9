"""Checks for API keys in logs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET = r"airsense_[\w-]{43}"


@contextmanager
def log_without_keys(folder: Path) -> Iterator[Path]:
    """Yield a log file; check at the end that it is written and has no API key."""
    log = folder / "log"
    yield log
    text = log.read_text()
    assert "Started" in text
    assert not re.search(SECRET, text)
