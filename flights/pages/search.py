"""`/search?q=`: what a text names, with links to its pages, and the rows that match."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flights import entities, links, versions
from flights.access import throttles
from flights.entities import City, Entity, Mention
from flights.errors import BadQuery
from flights.errors.pages import page
from flights.search import matching, search, terms
from flights.search.search import LONGEST
from flights.search.table_matches import TableMatches
from flights.search.terms import Terms
from flights.tables import TABLES
from flights.web import caching

from . import search_hits

ROUTES = 3  # most routes of a text that names two places
THINGS = 12  # most things that are listed
SIMILAR = 8  # most suggestions
OTHERS = 3  # most other meanings of a part of the text
QUESTION = 3  # terms from which a text may be a question


@dataclass(frozen=True)
class Named:
    """A part of the text and what it names."""

    text: str
    entity: Entity
    others: tuple[Entity, ...]
    exact: bool


@page
@caching.while_current
def search_page(request: HttpRequest) -> HttpResponse:
    """Show what a text names and which rows contain it. Without `q`, only the form."""
    throttles.charge(request.META, "search")
    text = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"text": text, "longest": LONGEST}
    if text:
        search.validated_text(text)
        context |= versions.with_retry(lambda: _results(text))
    return render(request, "search.html", context)


def _results(text: str) -> dict[str, Any]:
    mentions = entities.find(text)
    routes = entities.routes(text, mentions)[:ROUTES]
    things = list(_things(mentions, routes))
    urls = {entity.url for entity in (*things, *(m.entity for m in mentions))}
    context = {
        "named": [
            Named(text[m.start : m.end], m.entity, m.others[:OTHERS], m.exact) for m in mentions
        ],
        "best": _best(text, mentions, routes),
        "things": things[:THINGS],
        "similar": [e for e in entities.suggest(text, SIMILAR) if e.url not in urls],
    }
    try:
        understood = terms.read(text)
    except BadQuery as error:  # too many words for a search of rows; it may be a question
        return {**context, "refusal": error.message, "question": links.ask(text)}
    return {**context, **_rows(understood)}


def _rows(understood: Terms) -> dict[str, Any]:
    matches = matching.search(search.current_versions(TABLES), understood.terms)
    tables = [table for match in matches if (table := search_hits.table(match))]
    return {
        "tables": tables,
        "close": [] if tables else search.close(understood, []),
        "missed": list(_missed(understood, matches)),
        "question": links.ask(understood.text) if len(understood.terms) >= QUESTION else None,
    }


def _best(text: str, mentions: list[Mention], routes: Sequence[Entity]) -> Entity | None:
    """The one thing that the whole text names: a route, or a single exact mention."""
    if routes:
        return routes[0]
    with suppress(ValueError):
        (mention,) = mentions
        whole = text[mention.start : mention.end] == text
        unique = mention.exact and not mention.others and mention.entity.flights != 0
        if whole and unique and not _has_no_page(mention.entity):
            return mention.entity
    return None


def _has_no_page(entity: Entity) -> bool:
    """A city with several airports has the search page, which lists them."""
    return isinstance(entity, City) and len(entity.airports) > 1


def _things(mentions: list[Mention], routes: Sequence[Entity]) -> Iterator[Entity]:
    """The routes, then what each part of the text may mean, each with a page once."""
    every: list[Entity] = [*routes]
    for mention in mentions:
        for entity in (mention.entity, *mention.others):
            every += entities.airports(entity) if _has_no_page(entity) else [entity]
    yield from {entity.url: entity for entity in every if entity.flights != 0}.values()


def _missed(understood: Terms, matches: list[TableMatches]) -> Iterator[str]:
    """The terms of which no table has a value."""
    for term in understood.terms:
        parts = [part for match in matches for part in match.parts if part.term is term]
        if not any(part.matches.values for part in parts):
            yield term.text
