"""How fresh each table is. Every page, alert and API answer uses this one definition.

A table is as fresh as its published version: what counts is when that version was last found equal
to the warehouse. So a roll-back makes a table as old as the version that it publishes again.
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
    confirmed_at: datetime | None  # None where nothing is published, or was never compared
    within: timedelta | None  # what the table promises; None where it promises nothing

    @property
    def stale(self) -> bool:
        if self.within is None:
            return False
        return self.confirmed_at is None or self.confirmed_at < timezone.now() - self.within


def of(model: type[MirroredTable], published: PublishedTable | None) -> Freshness:
    """The freshness of a table, of which `published` says which version is current."""
    return Freshness(
        table=model._meta.db_table,
        confirmed_at=published.current.confirmed_at if published else None,
        within=model.mirror.fresh_within,
    )


def of_all() -> list[Freshness]:
    """The freshness of every table, in the order of `TABLES`."""
    published = PublishedTable.objects.select_related("current").in_bulk()
    return [of(model, published.get(model._meta.db_table)) for model in TABLES]
