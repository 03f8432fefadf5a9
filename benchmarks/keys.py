"""A temporary API key for benchmarks, which exceed the rate limit of an address."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from airsense import data_folder

NAME = "benchmark"
RATE = 2**31 - 1  # requests per minute; the largest possible


@contextmanager
def own_key() -> Iterator[str]:
    """Create a key on the platform of this environment; revoke it at the end."""
    secret = _apikey(f"--rate={RATE}").strip()
    try:
        yield secret
    finally:
        _apikey("--revoke")


def _apikey(*options: str) -> str:
    command = [sys.executable, str(data_folder.PROJECT / "manage.py"), "apikey", NAME, *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
