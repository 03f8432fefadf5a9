"""Match the terms of a search with the values of tables."""

from dataclasses import replace
from typing import Any

from django.db import models

from flights.entities.aliases import NOT_TYPOS
from flights.models import TableVersion

from . import dictionary, roles
from .dictionary import Matches
from .table_matches import Model, Part, TableMatches
from .terms import Term

VALUES = 1_000  # most values of each term and table that rows are selected by
LIKELY = 0.9  # score of a value that a word with a typing error may mean

type CurrentVersions = list[tuple[Model, TableVersion]]


def search(current: CurrentVersions, terms: list[Term]) -> list[TableMatches]:
    """Match the terms. A word that no table contains is replaced by similar words."""
    tables: list[TableMatches] = [TableMatches(*table, []) for table in current]
    for term in terms:
        for attempt in _attempts(term):
            matches = [[Part(term, m) for m in attempt(t.model, t.version, term)] for t in tables]
            if any(part.matches.values for parts in matches for part in parts):
                break
        for table, parts in zip(tables, matches, strict=True):
            table.parts.extend(parts)
    return tables


def containing(model: Model, version: TableVersion, term: Term) -> list[Matches]:
    return [dictionary.containing(version, term.text, VALUES)]


def _attempts(term: Term) -> list[Any]:
    """How to look for a term, until a table has a value."""
    if not term.things:
        return [containing] if term.text in NOT_TYPOS else [containing, _similar]
    return [_named] if term.exact else [containing, _similar, _likely]


def _named(model: Model, version: TableVersion, term: Term) -> list[Matches]:
    """The values that name the term's things; in a table without them, those with its text."""
    parts = [
        dictionary.equal(version, values, VALUES)
        for values in roles.equal(model, term.things, term.end)
    ]
    named = any(part.values for part in parts)
    return parts if named or not term.as_text else containing(model, version, term)


def _similar(model: Model, version: TableVersion, term: Term) -> list[Matches]:
    fields = [n for n, field in enumerate(model.columns()) if isinstance(field, models.TextField)]
    return [dictionary.similar(version, term.text, fields, VALUES)]


def _likely(model: Model, version: TableVersion, term: Term) -> list[Matches]:
    return [
        Matches([replace(value, score=LIKELY) for value in matches.values], matches.total)
        for matches in _named(model, version, replace(term, as_text=False))
    ]
