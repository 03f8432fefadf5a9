"""Things that do not exist, and the ones that a reader may have meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from .page import Link

SUGGESTED = 6


class NoSuchThing(Exception):
    """There is no page about a thing; the page 404 says why and suggests others."""

    def __init__(self, message: str, suggestions: Sequence[Link] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.suggestions = list(dict.fromkeys(suggestions))  # a route may end where it begins


def close(code: str, codes: Iterable[str]) -> list[str]:
    """The codes that resemble one: one letter other, or the letters in another order."""
    known = list(codes)
    cutoff = 0.5 if len(code) == 2 else 0.6  # one of two letters, two of three
    close = get_close_matches(code, known, SUGGESTED, cutoff)
    anagrams = [c for c in known if sorted(c) == sorted(code) and c not in close]
    return [*close, *anagrams][:SUGGESTED]
