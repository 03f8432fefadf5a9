"""Parse the tokens of a question by `grammar.lark` into constituents."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import lark
from lark.exceptions import UnexpectedInput
from lark.lexer import Lexer

from .lexer import Token, Words

SIDED = ("LATE", "DELAY", "ONTIME", "EARLY")
MOST = 40  # tokens of a question: parsing takes longer with each


class Constituent(NamedTuple):
    """A rule of the grammar, with the tokens that it covers."""

    rule: str
    tokens: tuple[Any, ...]  # of lark: `type`, and the value of the question's token

    def values(self, kind: str) -> list[Any]:
        """The values of its tokens of a type."""
        return [token.value for token in self.tokens if token.type == kind]

    def has(self, *kinds: str) -> bool:
        return any(token.type in kinds for token in self.tokens)


class Unreadable(Exception):
    """The words are known, but they do not make a question."""


class _Tokens(Lexer):
    """Hands the tokens of a question to lark."""

    def __init__(self, conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[lark.Token]:
        for token in lexer_state:
            yield lark.Token(token.type, token.value)


@lru_cache
def _parser() -> lark.Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="earley", lexer=_Tokens, start="question")


def parse(words: Words) -> list[Constituent]:
    """The constituents of a question; raises Unreadable."""
    tokens = _without_nouns(words.tokens)
    if len(tokens) > MOST:
        raise Unreadable
    try:
        tree: Any = _parser().parse(tokens)
    except UnexpectedInput as error:
        raise Unreadable from error
    return _sides(_joined([_constituent(part) for part in tree.children]))


def _sides(parts: list[Constituent]) -> list[Constituent]:
    """Late departures "at" a place leave it, and late arrivals "at" a place reach it."""
    return [
        part._replace(rule=_side(parts[:number], parts[number + 1 :]) or part.rule)
        if part.rule == "places"
        else part
        for number, part in enumerate(parts)
    ]


def _side(before: list[Constituent], after: list[Constituent]) -> str:
    """The end that the words before or after a place make it: "JFK arrivals"; "" for neither."""
    nouns = _nouns(after)
    if "departures" in nouns or (before and before[-1].rule == "late_departure"):
        return "origin"
    arrive = len(before) > 1 and before[-2].has("ARRIVE") and before[-1].has(*SIDED)
    return "destination" if "arrivals" in nouns or arrive else ""


def _nouns(parts: list[Constituent]) -> list[Any]:
    """The values of the first words of some parts, which say what leaves or arrives, and how."""
    tokens = [token for part in parts[:2] for token in part.tokens][:2]
    nouns = takewhile(lambda token: token.type in (*SIDED, "DEPART", "ARRIVE"), tokens)
    return [token.value for token in nouns]


def _joined(parts: list[Constituent]) -> list[Constituent]:
    """Add places after "and" or "or" to those before: "to Boston or Miami"."""
    joined: list[Constituent] = []
    for part in parts:
        if part.rule == "places" and len(joined) > 1 and joined[-1].has("AND", "OR"):
            *others, before, conjunction = joined
            if before.rule in ("origin", "destination", "places") and conjunction.rule == "word":
                tokens = (*before.tokens, *conjunction.tokens, *part.tokens)
                joined = [*others, Constituent(before.rule, tokens)]
                continue
        joined.append(part)
    return joined


def _constituent(part: Any) -> Constituent:
    return Constituent(str(part.data), tuple(_leaves(part)))


def _leaves(part: Any) -> Iterator[Any]:
    for child in part.children:
        if isinstance(child, lark.Tree):
            yield from _leaves(child)
        else:
            yield child


def _without_nouns(tokens: list[Token]) -> list[Token]:
    """Leave out nouns beside names: "Boston airport", "the month of July", "the year 2013".

    "By month in summer" groups by month.
    """
    kept: list[Token] = []
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if not _is_noun(before, token, after):
            kept.append(token)
    return kept


def _is_noun(before: Token | None, token: Token, after: Token | None) -> bool:
    if token.type != "DIM" or (before and before.type == "BY"):
        return False
    place = before.value if before and before.type == "PLACE" else None
    one_airport = place and len(getattr(place, "airports", " ")) == 1
    named = after and (token.value, after.type) in (("month", "MONTH"), ("year", "YEAR"))
    return bool((token.value == "airport" and one_airport) or named)
