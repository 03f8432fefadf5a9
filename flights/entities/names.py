"""How people write the names of airlines, airports and cities.

A key is a name in lower case without accents, spaces and punctuation: `deltaairlines` stands for
"Delta Air Lines" and "Delta Airlines", `ohare` for "O'Hare" and "Ohare".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from .aliases import AIRLINE_NAMES, AIRPORT_NAMES, CITY_NAMES, STATES
from .things import Airline, Airport, City

# A word with its apostrophes: "O'Hare", "Martha's".
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001
LONG_FORMS = {"st": "saint", "ft": "fort", "mt": "mount", "intl": "international"}
LEGAL = re.compile(r",|\b(inc|co|corp|corporation|llc|ltd)\b\.?|\s(d/b/a|aka)\s.*", re.IGNORECASE)
OF_AIRLINES = {"air", "lines", "line", "airlines", "airline", "airways", "airway"}
OF_AIRPORTS = {
    *("airport", "international", "intcntl", "ntl", "regional", "municipal", "memorial", "field"),
    *("county", "metro", "metropolitan", "jetport", "general"),
}
SHORTEST = 4  # letters of a part of an airport's name: "Ronald Reagan" without "Washington"


class Word(NamedTuple):
    """A word of a text, folded, and its place in the text."""

    key: str
    start: int
    end: int


def fold(text: str) -> str:
    """Lower case without accents. Other letters keep their number."""
    return text.lower() if text.isascii() else "".join(map(_plain, text))


def words(text: str) -> list[Word]:
    """The words of a text. "Delta's" is "delta", and "St." is "saint"."""
    return [
        Word(_word(match[0]), match.start(), match.end())
        for match in WORD.finditer(text)
        if _word(match[0])
    ]


def key(text: str) -> str:
    """`laguardia` for "La Guardia"."""
    return "".join(word.key for word in words(text))


def of_airline(airline: Airline) -> set[str]:
    """The keys of an airline's names: whole, and as people shorten it."""
    name = [word.key for word in words(LEGAL.sub(" ", airline.name))]
    short = "".join(part for part in name if part not in OF_AIRLINES)
    colloquial = {f"{short}{end}" for end in ("", "air", "airline", "airlines", "airways")}
    aliases = AIRLINE_NAMES.get(airline.code, ())
    return {key(airline.name), "".join(name), *(colloquial if short else ()), *map(key, aliases)}


def of_airport(airport: Airport) -> set[str]:
    """The keys of an airport's names: whole, without its city, without words like "Regional"."""
    name = [word.key for word in words(airport.name or "")]
    city = {word.key for word in words(airport.city)}
    local = [part for part in name if part not in city]
    short = [part for part in local if part not in OF_AIRPORTS]
    named = [part for part in name if part not in OF_AIRPORTS]
    parts = ["".join(part) for part in (name, name[:-1], local, local[:-1], short, named)]
    long_enough = {part for part in parts if len(part) >= SHORTEST and part not in OF_AIRPORTS}
    return long_enough | set(map(key, AIRPORT_NAMES.get(airport.code, ())))


def of_city(city: City) -> set[str]:
    """The keys of a city's names: each part of "Dallas/Fort Worth, TX", with and without state."""
    return {key(name) for name in _city_names(city)}


def _city_names(city: City) -> Iterator[str]:
    place, _, state = city.name.partition(", ")
    parts = [place, *place.split("/")]
    yield from CITY_NAMES.get(city.name, ())
    for part in dict.fromkeys(parts):
        yield from (part, f"{part} City", f"{part} {state}", f"{part} {STATES.get(state, state)}")


@lru_cache(8_192)  # names repeat their words
def _word(text: str) -> str:
    folded = re.sub("['’]s?$|['’]", "", fold(re.sub("['’]s$", "", text, flags=re.I)))  # noqa: RUF001
    return LONG_FORMS.get(folded, folded)


def _plain(letter: str) -> str:
    parts: Iterable[str] = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in parts if not unicodedata.combining(part)).lower()
