"""The words of questions, from `vocabulary.toml`: each phrase is a token of `grammar.lark`."""

import tomllib
from pathlib import Path
from typing import Any

from flights.entities import names

type Phrase = tuple[str, ...]  # keys of words, see `names`
type Token = tuple[str, Any]  # its type, "" for a filler, and its value

_FILE = Path(__file__).with_name("vocabulary.toml")
_DATA: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))


def _phrase(text: str) -> Phrase:
    return tuple(word.key for word in names.words(text))


def _phrases() -> dict[Phrase, Token]:
    phrases: dict[Phrase, Token] = {}
    for entry in _DATA["tokens"]:
        value = entry.get("value", "")
        token = entry["token"], tuple(value) if isinstance(value, list) else value
        phrases |= {_phrase(text): token for text in entry["phrases"].split(",")}
    for filler in _DATA["fillers"].split():
        phrases.setdefault(_phrase(filler.replace("_", " ")), ("", None))
    return phrases


PHRASES = _phrases()
LONGEST = max(map(len, PHRASES))  # words
WORDS = frozenset(word for phrase in PHRASES for word in phrase)
# The subject of each word that the data cannot answer.
SUBJECT_OF: dict[str, str] = {
    word: subject for subject, words in _DATA["subjects"].items() for word in words.split()
}
