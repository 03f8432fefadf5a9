"""Questions about a state: refuse them, and suggest the state's busiest cities instead."""

import re

from flights.entities import directory
from flights.entities.aliases import STATES

from .refusals import Unread

CITIES = 3  # in the suggestions
CODES = {name.lower(): code for code, name in STATES.items()}
NAMED = re.compile(rf"\b({'|'.join(map(re.escape, STATES.values()))})\b", re.IGNORECASE)


def refuse(question: str, unknown: list[str]) -> None:
    """Raise Unread if the question names a state, of which some words are unknown."""
    for match in NAMED.finditer(question):
        if set(match[1].lower().split()) & set(unknown):
            cities = _cities(CODES[match[1].lower()])
            before, after = question[: match.start()], question[match.end() :]
            raise Unread(
                f"The data name cities and airports, but not states such as {match[1]}.",
                tuple(f"{before}{city}{after}" for city in cities),
            )


def _cities(code: str) -> list[str]:
    """The state's cities with the most flights."""
    names = directory.current().cities  # the busiest first
    return [name for name in names if name.endswith(f", {code}")][:CITIES]
