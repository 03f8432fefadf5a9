"""A text in pieces, those that a search found marked: data that any page can show safely."""

import unicodedata
from collections.abc import Iterable
from itertools import groupby
from typing import Any


def split(text: str, words: Iterable[str]) -> list[dict[str, Any]]:
    """`Boston, MA` for `bos` is [{"text": "Bos", "found": true}, {"text": "ton, MA", ...}]."""
    letters = [_folded(letter) for letter in text]
    whole = "".join(letters)
    # The letter that each place of the folded text comes from.
    origin = [i for i, letter in enumerate(letters) for _ in letter]
    found = [False] * len(text)
    for word in filter(None, words):
        at = whole.find(word)
        while at >= 0:
            for place in range(at, at + len(word)):
                found[origin[place]] = True
            at = whole.find(word, at + 1)
    return [
        {"text": "".join(letter for letter, _ in piece), "found": is_found}
        for is_found, piece in groupby(zip(text, found, strict=True), key=lambda pair: pair[1])
    ]


def _folded(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter)
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()
