"""The admin's first page: the state of each service, open alerts and the freshness of tables."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from flights import freshness
from flights.mirror import MirroredTable
from flights.models import PublishedTable
from flights.tables import TABLES
from transfers import warehouse_contact
from transfers.admin.transfer_display import state
from transfers.models import Alert, Transfer

from . import activity, status, timeline, warehouse_check

# Seconds for which a page that updates itself reuses a result: each check pings all workers.
UPDATE_FRESH_FOR = {"worker": 15.0}


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Extend the context of templates/admin/index.html for users who may view transfers."""
    if not request.user.has_perm("transfers.view_transfer"):
        return context
    published = freshness.published()
    return {
        **context,
        "parts": _parts(is_update=warehouse_check.UPDATE in request.headers),
        "tables": [_row(model, published.get(model._meta.db_table)) for model in TABLES],
        "open_alerts": Alert.objects.filter(kind__in=Alert.ENDS, ended_at=None),
        "running": Transfer.objects.filter(status__in=Transfer.ACTIVE).exists(),
        "figures": [*activity.of_last_day(), *activity.of_requests()],
        "week": timeline.week(),
    }


def _parts(*, is_update: bool) -> list[status.State]:
    """Check all parts; a page that updates itself must not keep a paid warehouse awake."""
    if not is_update:
        return status.states()
    if not warehouse_contact.costs_money():
        return status.states(fresh_for=UPDATE_FRESH_FOR)
    others = [part for part in status.PARTS if part != "warehouse"]
    return [warehouse_check.last_known(), *status.states(others, UPDATE_FRESH_FOR)]


def _row(model: type[MirroredTable], published: PublishedTable | None) -> Any:
    table = model._meta.db_table
    last = Transfer.objects.filter(table=table).first()
    return {
        "name": table,
        "url": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
        "published": published,
        "freshness": freshness.of(model, published),
        "last": last,
        "state": last and state(last),
    }
