"""Which airports and airlines flights connect, and by how many flights."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from .directory import Directory


@dataclass(frozen=True)
class Limits:
    """Only flights from some airports, to some airports, and of an airline: all by code."""

    origins: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    airline: str = ""

    def __bool__(self) -> bool:
        return bool(self.origins or self.destinations or self.airline)


@lru_cache(maxsize=256)
def flights(known: Directory, kind: str, limits: Limits) -> Counter[str]:
    """The flights within the limits, by code.

    Kinds: the `airline` that flies, the `origin`, the `destination`, or the `airport` at the ends
    that are not limited.
    """
    counts: Counter[str] = Counter()
    for (origin, destination), airlines in known.routes.items():
        if limits.origins and origin not in limits.origins:
            continue
        if limits.destinations and destination not in limits.destinations:
            continue
        if limits.airline:
            airlines = {code: n for code, n in airlines.items() if code == limits.airline}
        if kind == "airline":
            counts.update(airlines)
            continue
        total = sum(airlines.values())
        for airport in _ends(kind, origin, destination, limits):
            counts[airport] += total
    return +counts


def _ends(kind: str, origin: str, destination: str, limits: Limits) -> set[str]:
    if kind == "origin" or (kind == "airport" and limits.destinations and not limits.origins):
        return {origin}
    if kind == "destination" or (kind == "airport" and limits.origins and not limits.destinations):
        return {destination}
    return {origin, destination}
