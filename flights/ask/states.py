"""Questions about a state: the data name cities and airports, so its busiest are suggested."""

import re

from flights.entities import directory
from flights.entities.aliases import STATES

from .refusals import Unread

CITIES = 3  # in the suggestions
CODES = {name.lower(): code for code, name in STATES.items()}
NAMED = re.compile(rf"\b({'|'.join(map(re.escape, STATES.values()))})\b", re.IGNORECASE)


def refuse(question: str, unknown: list[str]) -> None:
    """Raise Unread if words that nobody knows are the name of a state."""
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
    every = directory.current().cities
    return [name for name in every if name.endswith(f", {code}")][:CITIES]
