"""Freshness of tables: the one definition that pages, alerts and the API use.

It is the time since the published version was last verified to equal the warehouse. After a
roll-back it is therefore the freshness of the older version.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from .mirror import MirroredTable
from .models import PublishedTable
from .tables import TABLES


@dataclass(frozen=True)
class Freshness:
    table: str
    confirmed_at: datetime | None  # None: nothing is published, or it was never verified
    within: timedelta | None  # the limit that the table declares; None: no limit

    @property
    def stale(self) -> bool:
        if self.within is None:
            return False
        return self.confirmed_at is None or self.confirmed_at < timezone.now() - self.within


def of(model: type[MirroredTable], published: PublishedTable | None) -> Freshness:
    """The freshness of a table whose current version is `published`."""
    return Freshness(
        table=model._meta.db_table,
        confirmed_at=published.current.confirmed_at if published else None,
        within=model.mirror.fresh_within,
    )


def of_all() -> list[Freshness]:
    """The freshness of every table, in the order of `TABLES`."""
    published = PublishedTable.objects.select_related("current").in_bulk()
    return [of(model, published.get(model._meta.db_table)) for model in TABLES]
