"""Which single filter of an empty result to remove, so that rows match."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from django.db import OperationalError

from flights.errors import BadQuery, Unavailable
from flights.models import TableVersion
from flights.query.query import Query

from . import counts
from .state import State

MOST = 8  # filters that are tried
SECONDS = 0.3  # after which no other filter is tried


def helpful(state: State, version: TableVersion) -> list[str]:
    """The filters without which rows match; it stops before the search takes long."""
    return list(_helpful(state, version)) if len(state.filters) > 1 else list(state.filters)


def _helpful(state: State, version: TableVersion) -> Iterator[str]:
    until = time.monotonic() + SECONDS
    for name in list(state.filters)[:MOST]:
        if time.monotonic() > until:
            return
        params = {n: v for n, v in state.filters.items() if n != name}
        with suppress(BadQuery, Unavailable, OperationalError):
            if _matches(Query.read(state.model, params), version):
                yield name


def _matches(query: Query, version: TableVersion) -> bool:
    """Whether any row matches; False if PostgreSQL would have to read many rows to know."""
    one = replace(query, own_limit=1)
    if not counts.is_cheap(one, version) and not _is_frequent(one, version):
        return False
    return bool(one.page(version).rows)


def _is_frequent(query: Query, version: TableVersion) -> bool:
    """Whether more than 1 % of the rows match, by estimate: then reading one of them is fast."""
    return query.count(version, "estimated") * 100 > version.rows
