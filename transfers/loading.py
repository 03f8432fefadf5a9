"""One table's way from the warehouse to a verified version that is not published yet."""

from django.db import transaction
from pyarrow import Schema

from flights import tables
from flights.mirror import MirroredTable, column
from flights.models import TableVersion

from . import columns, load, sqlview, verify
from .models import Transfer
from .progress import Progress
from .warehouses import Snapshot, Warehouse

WAITING = "waiting to be published"  # for the tables that were asked for together


def new_version(
    transfer: Transfer, warehouse: Warehouse, progress: Progress
) -> TableVersion | None:
    """What the transfer made; None where the newest version has the same source already."""
    model = tables.by_name(transfer.table)
    schema = columns.schema(model)
    progress.begin(transfer)
    with warehouse.snapshot(transfer.table) as source:
        transfer.source_version = source.version
        fit = columns.check(schema, source.schema, transfer.table)
        transfer.differences = fit.accepted
        if not transfer.forced and _has(model, schema, source.version):
            return None
        transfer.rows_total = source.rows
        with transaction.atomic():
            version = load.create(model, schema, source.version)
            progress.phase("copying")
            order = in_order(model, schema, fit.names)
            for rows in load.copy(version, schema, source.batches(fit.names, order)):
                progress.rows(rows)
            progress.phase("indexing")
            load.index(model, version)
            progress.phase("verifying")
            transfer.figures = _verified(version, schema, source, fit.names)
            load.keep(version, transfer.figures)
            sqlview.grant(version)
    progress.phase(WAITING)
    return version


def _verified(
    version: TableVersion, schema: Schema, source: Snapshot, names: list[str]
) -> verify.Figures:
    """What source and copy agree on."""
    theirs = source.figures(schema, names)
    verify.agree(theirs, load.figures(version, schema), version.table)
    return theirs


def _has(model: type[MirroredTable], schema: Schema, source_version: str) -> bool:
    """Whether the newest version, current or rolled back from, has this source and shape."""
    newest = TableVersion.objects.filter(table=model._meta.db_table).first()
    return (
        newest is not None
        and newest.published_at is not None
        and newest.source_version == source_version
        and newest.columns == columns.types(schema)
    )


def in_order(model: type[MirroredTable], schema: Schema, names: list[str]) -> list[str]:
    """The declared order, in the source's names; "-" before one that descends."""
    theirs = dict(zip(schema.names, names, strict=True))
    order = []
    for name in model.mirror.order:
        source = theirs[column(model, name.removeprefix("-"))]
        order.append("-" * name.startswith("-") + source)
    return order
