"""Freshness of tables: the one definition that pages, alerts and the API use.

It is the time since the published version was last verified to equal the warehouse. After a
roll-back it is therefore the freshness of the older version.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from .mirror import MirroredTable
from .models import PublishedTable
from .tables import TABLES


@dataclass(frozen=True)
class Freshness:
    table: str
    confirmed_at: datetime | None  # None: nothing is published, or it was never verified
    within: timedelta | None  # the limit that the table declares; None: no limit
    age: timedelta | None  # by PostgreSQL's clock, because those of machines differ

    @property
    def stale(self) -> bool:
        return self.within is not None and (self.age is None or self.age > self.within)


def published(using: str = "default") -> dict[str, Any]:
    """The published tables by name, each with its current version and the time `now`."""
    rows = PublishedTable.objects.using(using).select_related("current")
    return rows.annotate(now=Now()).in_bulk()


def of(model: type[MirroredTable], published: Any) -> Freshness:
    """The freshness of a table that `published` read; None if it is not published."""
    confirmed_at = published.current.confirmed_at if published else None
    return Freshness(
        table=model._meta.db_table,
        confirmed_at=confirmed_at,
        within=model.mirror.fresh_within,
        age=published.now - confirmed_at if confirmed_at else None,
    )


def of_all() -> list[Freshness]:
    """The freshness of every table, in the order of `TABLES`."""
    current = published()
    return [of(model, current.get(model._meta.db_table)) for model in TABLES]
