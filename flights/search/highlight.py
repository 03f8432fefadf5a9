"""Split a text into matching and other fragments, so that a page can highlight a search's words."""

import unicodedata
from collections.abc import Iterable
from itertools import groupby
from typing import Any


def split(text: str, words: Iterable[str]) -> list[dict[str, Any]]:
    """Split a text where any of the folded words begins or ends.

    `split("Boston, MA", ["bos"])` returns
    `[{"text": "Bos", "found": True}, {"text": "ton, MA", "found": False}]`.
    """
    letters = [fold(letter) for letter in text]
    folded = "".join(letters)
    # Folding can lengthen a letter: origin[i] is the index in `text` of letter i of `folded`.
    origin = [i for i, letter in enumerate(letters) for _ in letter]
    matches = [False] * len(text)
    for word in filter(None, words):
        start = folded.find(word)
        while start >= 0:
            for i in range(start, start + len(word)):
                matches[origin[i]] = True
            start = folded.find(word, start + 1)
    return [
        {"text": "".join(letter for letter, _ in fragment), "found": matching}
        for matching, fragment in groupby(zip(text, matches, strict=True), key=lambda pair: pair[1])
    ]


def fold(text: str) -> str:
    """Lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()
