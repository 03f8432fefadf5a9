"""The admin's first page: the state of each service, open alerts and the freshness of tables."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from flights import freshness
from flights.mirror import MirroredTable
from flights.models import PublishedTable
from flights.tables import TABLES
from transfers.models import Alert, Transfer

from . import status


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Extend the context of templates/admin/index.html for users who may view transfers."""
    if not request.user.has_perm("transfers.view_transfer"):
        return context
    published = PublishedTable.objects.select_related("current").in_bulk()
    tables = [_row(model, published.get(model._meta.db_table)) for model in TABLES]
    open_alerts = Alert.objects.filter(kind__in=Alert.ENDS, ended_at=None)
    return {**context, "parts": status.states(), "tables": tables, "open_alerts": open_alerts}


def _row(model: type[MirroredTable], published: PublishedTable | None) -> Any:
    table = model._meta.db_table
    return {
        "name": table,
        "url": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
        "published": published,
        "freshness": freshness.of(model, published),
        "last": Transfer.objects.filter(table=table).first(),
    }
