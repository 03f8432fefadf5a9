"""The shape of a query: everything but its values and its page.

Most queries have one of few shapes, so each process caches the shapes that it read last: reading a
shape takes longer than reading the values.
"""

from functools import lru_cache
from typing import NamedTuple

from django_filters.rest_framework import FilterSet

from flights.mirror import Field, MirroredTable

from . import columns, filters, grouping, ordering
from .grouping import Grouping
from .ordering import Direction

SIZE = 4_096  # shapes; each takes about a kB
PARAMETERS = ("columns", "order_by", "group_by", "aggregate", "having")


class Shape(NamedTuple):
    columns: tuple[Field, ...]
    order: tuple[Direction, ...]  # ends with a unique column, so no two rows are equal in it
    grouping: Grouping | None
    filterset: type[FilterSet]


def read(model: type[MirroredTable], params: dict[str, str]) -> Shape:
    """The shape of a query. Raises BadQuery for an unknown column, operator or function."""
    texts = (params.get(name, "") for name in PARAMETERS)
    return _read(model, tuple(filters.filters(params)), *texts)


@lru_cache(SIZE)
def _read(model: type[MirroredTable], parameters: tuple[str, ...], *texts: str) -> Shape:
    params = dict(zip(PARAMETERS, texts, strict=True))
    groups = grouping.read(model, params)
    known = groups.columns if groups else columns.of(model)
    order = ordering.read(known, params["order_by"])
    order = ordering.whole(order, groups.by if groups else model.sequence())
    filterset = filters.filterset(model, parameters)
    if not groups:
        order = ordering.as_indexed(model, order, filters.filled(filterset))
    return Shape(tuple(known.chosen(params["columns"])), tuple(order), groups, filterset)
