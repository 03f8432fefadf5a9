"""Operations on transfers that commands, tasks, the API and the admin share."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from psycopg import sql

from flights import claims, tables
from flights.mirror import MirroredTable
from flights.models import TableVersion

from .alerts import outbox
from .exceptions import TransferError
from .load import publication, retention
from .load.statements import execute
from .models import Transfer

# A transfer that stays queued for longer without a heartbeat counts as lost: the queue of tasks no
# longer has its task.
QUEUED_AT_MOST = timedelta(minutes=15)

type Override = dict[str, str]


def queue(
    mirrored: Iterable[type[MirroredTable]],
    asked_by: str,
    *,
    forced: bool = False,
    key: str = "",
    override: Override | None = None,
) -> list[Transfer]:
    """Queue a transfer of each table, or return the one that is queued already.

    A queued transfer waits for the running transfer of its table (`behind`). The caller sends a
    task for all returned transfers, also for those queued before, whose task may be lost. A request
    with the same `key` returns the transfers of the first request, whatever their status. With an
    `override` they publish despite failed checks.
    """
    reap()
    key = key and f"{asked_by}: {key}"  # per user: keys of several users can be in one transfer
    with transaction.atomic():
        if key and (transfers := _same_request(key)):
            return transfers
        names = [model._meta.db_table for model in mirrored]
        locked = {name: _queued(name, asked_by, forced, key) for name in sorted(names)}
        queued = [locked[name] for name in names]
        if override:
            Transfer.objects.filter(pk__in=[t.pk for t in queued]).update(override=override)
        return queued


def override(by: str, reason: str) -> Override:
    """Return a transfer's record of who overrides its checks, when and why."""
    return {"by": by, "at": timezone.now().isoformat(timespec="seconds"), "reason": reason}


def _same_request(key: str) -> list[Transfer]:
    """The transfers of an earlier request with this key; waits for one that is being handled."""
    execute("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))", sql.Literal(key))
    same = Q(request_key=key) | Q(later_request_keys__contains=[key])
    return list(Transfer.objects.filter(same).order_by("pk"))


def behind(transfers: Iterable[Transfer]) -> "models.QuerySet[Transfer]":
    """The running transfers that these queued transfers wait for."""
    tables = [t.table for t in transfers if t.status == Transfer.Status.QUEUED]
    return Transfer.objects.filter(table__in=tables, status=Transfer.Status.RUNNING)


def wait(transfers: Iterable[Transfer]) -> None:
    """Record, as a heartbeat, that a process waits until it can run these queued transfers."""
    queued = Transfer.objects.filter(pk__in=[t.pk for t in transfers], status="queued")
    queued.update(heartbeat_at=Now())


def reap() -> int:
    """Mark orphaned transfers as failed and drop what they loaded; returns their number."""
    with claims.lost(Transfer, settings.TRANSFER_LOST_AFTER) as orphaned:
        _fail(
            orphaned,
            "Its worker stopped unexpectedly. The published version is untouched.",
            "Start it again.",
        )
    late = Now() - QUEUED_AT_MOST
    never_claimed = _fail_queued(
        Q(asked_at__lt=late) & (Q(heartbeat_at=None) | Q(heartbeat_at__lt=late)),
        "No worker started it in time.",
        "See that a worker runs and reaches the queue, then start it again.",
    )
    for model in tables.TABLES:
        prune(model)
    return len(orphaned) + never_claimed


def fail_active(error: str, advice: str) -> int:
    """Mark all queued and running transfers as failed; returns their number.

    For a restored database, whose workers do not exist.
    """
    with claims.lost(Transfer, 0) as running:
        _fail(running, error, advice)
    return len(running) + _fail_queued(Q(), error, advice)


def cancel(transfer: Transfer, by: str) -> bool:
    """Cancel a transfer; its worker stops within 2 s. False if it ended before."""
    active = Transfer.objects.filter(pk=transfer.pk, status__in=Transfer.ACTIVE)
    return bool(
        active.update(
            status=Transfer.Status.CANCELLED,
            finished_at=Now(),
            error=f"Cancelled by {by}.",
            advice="Nothing was published.",
        )
    )


def roll_back(model: type[MirroredTable], number: int | None, by: str) -> TableVersion:
    """Publish an older version again, by default the previous one, and record who did so."""
    with transaction.atomic():
        version = publication.roll_back(model, number)
        Transfer.objects.create(
            table=version.table,
            mode=Transfer.Mode.ROLLBACK,
            status=Transfer.Status.SUCCEEDED,
            asked_by=by,
            started_at=Now(),
            finished_at=Now(),
            source_version=version.source_version,
            version=version,
        )
    return version


def withdraw(pks: list[int], reason: TransferError) -> None:
    """Mark transfers as failed if they are still queued, because their task was not accepted."""
    _fail_queued(Q(pk__in=pks), str(reason), reason.advice)


def prune(model: type[MirroredTable]) -> None:
    """Drop versions beyond the number to keep, unless a transfer may be making a new one."""
    table = model._meta.db_table
    if not Transfer.objects.filter(table=table, status__in=Transfer.ACTIVE).exists():
        retention.prune(model)


def by_table(transfer: Transfer) -> str:
    """The sort key of the order in which all processes lock transfers, to avoid deadlocks."""
    return transfer.table


def _queued(table: str, asked_by: str, forced: bool, key: str) -> Transfer:
    # Locked, so that no worker claims it before it is forced, or gets an override.
    transfer, created = Transfer.objects.select_for_update().get_or_create(
        table=table,
        status=Transfer.Status.QUEUED,
        defaults={"asked_by": asked_by, "forced": forced, "request_key": key},
    )
    transfer.forced = forced or transfer.forced
    if key and not created:
        transfer.later_request_keys.append(key)
    transfer.save(update_fields=["forced", "later_request_keys"])
    return transfer


def _fail_queued(condition: Q, error: str, advice: str) -> int:
    queued = Transfer.objects.filter(condition, status=Transfer.Status.QUEUED)
    with transaction.atomic():
        # Locked, so that only one process opens an alert for each.
        transfers = list(queued.order_by("table").select_for_update())
        _fail(transfers, error, advice)
    return len(transfers)


def _fail(transfers: list[Transfer], error: str, advice: str) -> None:
    """Mark transfers, whose rows this process has locked, as failed, and open alerts."""
    Transfer.objects.filter(pk__in=[transfer.pk for transfer in transfers]).update(
        status=Transfer.Status.FAILED, finished_at=Now(), error=error, advice=advice
    )
    outbox.failed(transfers, error, advice)
