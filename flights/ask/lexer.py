"""Turn a question into the tokens of `grammar.lark`: names first, then phrases and numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flights import entities
from flights.entities import Airline, Airport, City, Day, Flight, Mention, names

from . import states
from .vocabulary import LONGEST, PHRASES, SUBJECT_OF, WORDS

SHORTEST_TYPO = 4  # letters of a word that may be misspelt
LONGEST_CODE = 3  # letters
LONG = 8  # letters of a word that may have two errors
NUMBERS = [
    ("CLOCK", re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s*(?P<half>[ap])\.?m\b\.?")),
    ("CLOCK", re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>\d\d)\b")),
    ("PERCENTILE", re.compile(r"p(?P<number>\d{1,2})\b")),
    ("PERCENTILE", re.compile(r"(?P<number>\d{1,2})(?:st|nd|rd|th)?(?=\s+percentile)")),
    (
        "DURATION",
        re.compile(
            r"(?P<number>\d{1,4}|one|two|three|four|five|six|half an?)\s*(?P<plus>\+?)[\s-]*"
            r"(?P<unit>minutes?|mins?|m|hours?|hrs?|h)\b(?P<more>\+?)"
        ),
    ),
    ("YEAR", re.compile(r"(?:19|20)\d\d\b")),
    ("NUMBER", re.compile(r"\d{1,3}\b")),
    ("SHARE", re.compile(r"%")),
]
SPELT = {
    **{"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0},
    **{"half a": 0.5, "half an": 0.5},
}


@dataclass(frozen=True)
class Token:
    type: str
    value: Any
    start: int
    end: int


@dataclass
class Words:
    """The tokens of a question, and what could not be read."""

    tokens: list[Token] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # words
    subjects: list[str] = field(default_factory=list)  # that the data do not cover
    ambiguous: list[Mention] = field(default_factory=list)
    corrected: list[tuple[str, str]] = field(default_factory=list)  # as written, as read


def read(question: str) -> Words:
    """Read every word of a question."""
    text = question.lower() if question.isupper() and " " in question.strip() else question
    words = Words()
    place = 0
    for mention in _mentions(text):
        _words(text, place, mention.start, words)
        _name(text, mention, words)
        place = mention.end
    _words(text, place, len(text), words)
    return words


def _mentions(text: str) -> Iterator[Mention]:
    """What the text names, without misspelt names that are words of our vocabulary, or a state."""
    for mention in entities.find(text):
        written = text[mention.start : mention.end]
        words = [word.key for word in names.words(written)]
        ours = all(w in WORDS or w in SUBJECT_OF for w in words) or states.NAMED.search(written)
        if mention.exact or not ours:
            yield mention


def _name(text: str, mention: Mention, words: Words) -> None:
    entity, written = mention.entity, text[mention.start : mention.end]
    if not mention.exact:
        words.corrected.append((written, entity.label))
    if _is_ambiguous(mention):
        words.ambiguous.append(mention)
    kinds = {Airline: "AIRLINE", Airport: "PLACE", City: "PLACE", Flight: "FLIGHT", Day: "DATE"}
    words.tokens.append(Token(kinds[type(entity)], entity, mention.start, mention.end))


def _is_ambiguous(mention: Mention) -> bool:
    """Whether a city or flight has a namesake: Portland in Maine or in Oregon."""
    entity, others = mention.entity, mention.others
    if isinstance(entity, City):
        cities = [other for other in others if isinstance(other, City)]
        return any(not set(city.airports) & set(entity.airports) for city in cities)
    if isinstance(entity, Flight):
        return any(isinstance(o, Flight) and o.airline != entity.airline for o in others)
    return False


def _words(text: str, start: int, end: int, words: Words) -> None:
    """Read the part of a text between two names."""
    part = text[start:end].lower()
    place = 0
    while place < len(part):
        if token := _number(part, place):
            words.tokens.append(_moved(token, start))
            place = token.end
        elif match := names.WORD.match(part, place):
            place = _phrase(part, match.start(), start, words)
        else:
            place += 1


def _moved(token: Token, by: int) -> Token:
    return Token(token.type, token.value, token.start + by, token.end + by)


def _number(part: str, place: int) -> Token | None:
    if place and part[place - 1].isalnum():
        return None
    for kind, pattern in NUMBERS:
        if match := pattern.match(part, place):
            return Token(kind, _value(kind, match), place, match.end())
    return None


def _value(kind: str, match: re.Match[str]) -> Any:
    parts = match.groupdict()
    if kind == "CLOCK":
        hour = int(parts["hour"])
        half = parts.get("half")
        return (hour % 12 + 12 * (half == "p")) if half else hour
    if kind == "DURATION":
        number = SPELT.get(parts["number"]) or float(parts["number"])
        minutes = int(number * (60 if parts["unit"].startswith("h") else 1))
        return minutes, bool(parts["plus"] or parts["more"])
    if kind == "PERCENTILE":
        return int(parts["number"])
    return int(match[0]) if match[0].isdigit() else match[0]


def _phrase(part: str, place: int, offset: int, words: Words) -> int:
    """Read the longest phrase at a place; returns the place after it."""
    following = names.words(part[place:])[:LONGEST]
    for length in range(len(following), 0, -1):
        phrase = PHRASES.get(tuple(word.key for word in following[:length]))
        if phrase:
            end = place + following[length - 1].end
            if phrase[0]:
                words.tokens.append(Token(*phrase, place + offset, end + offset))
            return end
    match = names.WORD.match(part, place)
    assert match
    _unknown(part, match, offset, words)
    return match.end()


def _unknown(part: str, match: re.Match[str], offset: int, words: Words) -> None:
    key = names.key(match[0])
    if subject := SUBJECT_OF.get(key):
        words.subjects.append(subject)
    elif correct := _similar(key):
        words.corrected.append((match[0], correct))
        _phrase(correct, 0, offset + match.start(), words)
    elif place := _code(key, words):
        start = offset + match.start()
        words.tokens.append(Token("PLACE", place, start, offset + match.end()))
    elif key:
        words.unknown.append(match[0])


def _code(key: str, words: Words) -> Airport | City | None:
    """The place of a short word after "from" or "to": there "la" is Los Angeles."""
    if len(key) > LONGEST_CODE or not (words.tokens and words.tokens[-1].type in ("FROM", "TO")):
        return None
    named = [m.entity for m in entities.find(key.upper())]
    return next((e for e in named if isinstance(e, Airport | City)), None)


def _similar(key: str) -> str | None:
    """The only word of the vocabulary that a misspelt word resembles."""
    if len(key) < SHORTEST_TYPO or key.isdigit():
        return None
    wrong = 2 if len(key) >= LONG else 1
    close = process.extract(key, CORRECT, scorer=OSA.distance, score_cutoff=wrong, limit=5)
    # Typing errors in the first letter are rare; swapped letters are not.
    best = sorted((d, w) for w, d, _ in close if w[0] == key[0] or w[:2] == key[1::-1])
    closest = [word for distance, word in best if distance == best[0][0]]
    tokens = {PHRASES.get((word,)) for word in closest}  # "airline" and "airlines" are the same
    return closest[0] if len(tokens) == 1 else None


# The words that a misspelt word may be. Short words resemble too many others.
# None is taken for a negation: "done" is not "don't".
CORRECT = [
    phrase[0]
    for phrase, (kind, _) in sorted(PHRASES.items())
    if len(phrase) == 1 and len(phrase[0]) >= SHORTEST_TYPO and kind not in ("NOT", "EXCEPT")
]
CORRECT += [word for word in SUBJECT_OF if len(word) >= SHORTEST_TYPO]
