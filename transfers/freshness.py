"""When each table was last found equal to the warehouse, and which should have been since."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from flights.tables import TABLES

from .models import Transfer

CONFIRMED = (Transfer.Status.SUCCEEDED, Transfer.Status.UNCHANGED)


@dataclass(frozen=True)
class Breach:
    table: str
    within: timedelta
    since: datetime | None  # None where it was never transferred


def confirmed() -> dict[str, datetime]:
    """When each table was last published, or found unchanged; rolling back confirms nothing."""
    found = Transfer.objects.filter(status__in=CONFIRMED).exclude(mode=Transfer.Mode.ROLLBACK)
    return dict(found.order_by().values_list("table").annotate(at=Max("finished_at")))


def breaches() -> list[Breach]:
    """The tables that declare `fresh_within` and are not."""
    now, at = timezone.now(), confirmed()
    declared = {
        model._meta.db_table: within for model in TABLES if (within := model.mirror.fresh_within)
    }
    return [
        Breach(table, within, at.get(table))
        for table, within in declared.items()
        if table not in at or at[table] < now - within
    ]
