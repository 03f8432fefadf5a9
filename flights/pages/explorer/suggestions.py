"""Values that the form suggests: only those that a column has in the published version."""

from functools import lru_cache

from django.db import models

from flights import versions
from flights.errors import NeverTransferred
from flights.mirror import MirroredTable, public
from flights.models import TableVersion
from flights.search import dictionary

MOST = 200  # values of each column, the most frequent ones; the browser filters them on typing


def of(model: type[MirroredTable]) -> dict[str, list[str]]:
    """The most frequent values of each column of texts, by the column's name."""
    try:
        return versions.read(model, lambda version: _of(model, version))
    except NeverTransferred:
        return {}


@lru_cache(64)  # the values of a version never change
def _of(model: type[MirroredTable], version: TableVersion) -> dict[str, list[str]]:
    places = {
        place: public(field)
        for place, field in enumerate(model.columns())
        if isinstance(field, models.TextField) and field.name not in model.mirror.unsearched
    }
    values = dictionary.frequent(version, list(places), MOST)
    return {places[place]: texts for place, texts in values.items() if texts}
