"""Publish versions of mirrored tables, and roll back to earlier ones.

A publication is one transaction, which changes a few rows and no relation that readers are using.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from flights import claims
from flights.mirror import MirroredTable
from flights.models import PublishedTable, TableVersion
from transfers.exceptions import NoSuchVersion

from . import sql_view


def save_checks(version: TableVersion, checks: Any, override: Any) -> None:
    """Save the results of the quality checks, and the override that published the version."""
    TableVersion.objects.filter(pk=version.pk).update(checks=checks, override=override)


def confirm(table: str) -> None:
    """Record that the newest version is equal to its source now."""
    newest = TableVersion.objects.filter(table=table).values_list("pk", flat=True)[:1]
    TableVersion.objects.filter(pk__in=list(newest)).update(confirmed_at=Now())


def publish(versions: Iterable[TableVersion]) -> None:
    """Make versions current, all at the same time, in the caller's transaction or a new one."""
    with transaction.atomic():
        now = claims.now()
        for version in versions:
            TableVersion.objects.filter(pk=version.pk, published_at=None).update(published_at=now)
            PublishedTable.objects.update_or_create(
                table=version.table, defaults={"current": version, "since": now}
            )
            sql_view.point_at(version)


def roll_back(model: type[MirroredTable], number: int | None = None) -> TableVersion:
    """Make version `number` current; by default the one before the current version.

    NoSuchVersion if it does not exist or was dropped.
    """
    table = model._meta.db_table
    with transaction.atomic():
        published = PublishedTable.objects.select_for_update().filter(table=table).first()
        versions = TableVersion.objects.filter(table=table, published_at__isnull=False)
        if published is None:
            raise NoSuchVersion(f"{table} has no version yet.", advice="Transfer it first.")
        current = published.current.number
        condition = Q(number__lt=current) if number is None else Q(number=number)
        version = versions.filter(condition).order_by("-number").first()
        if version is None:
            name = "version before the current one" if number is None else f"version {number}"
            numbers = ", ".join(str(n) for n in versions.values_list("number", flat=True))
            raise NoSuchVersion(
                f"{table} has no {name}.",
                advice=f"Available versions: {numbers}; {current} is current.",
            )
        publish([version])
    return version
