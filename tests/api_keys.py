"""Keys of the API as tests know them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET = r"airsense_[\w-]{43}"


@contextmanager
def log_without_keys(folder: Path) -> Iterator[Path]:
    """Where a web server logs; at the end it has, and no key is in it."""
    log = folder / "log"
    yield log
    text = log.read_text()
    assert "Started" in text
    assert not re.search(SECRET, text)
