"""Platforms of tests' own; loading this leads the process to databases of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import own_environment
from tests.whole import Platform


@contextmanager
def own_platform(**env: str) -> Iterator[Platform]:
    """A platform with an empty database of its own and no warehouse yet."""
    own = Platform(own_environment() | env)
    own.manage("setup")
    try:
        yield own
    finally:
        own.remove()
