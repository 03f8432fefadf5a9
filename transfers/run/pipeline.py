"""Load one table from the warehouse into a verified version, ready to be published."""

from typing import Any

from django.db import transaction
from pyarrow import Schema

from flights import log_fields, tables, tracing
from flights.mirror import MirroredTable
from flights.models import TableVersion
from transfers.exceptions import VerificationFailed, VersionRemoved, WarehouseError
from transfers.load import columns, indexes, search_dictionary, sql_view, verification, writer
from transfers.load.disk_space import Disk
from transfers.models import Transfer
from transfers.warehouses import Warehouse

from . import modes, source_reader, sources
from .modes import Reading
from .progress import Progress
from .quality import Inspection
from .source_reader import ThreadedSnapshot


def new_version(
    transfer: Transfer, warehouse: Warehouse, progress: Progress, inspection: Inspection
) -> TableVersion | None:
    """Make a version; None if the newest version has the same source.

    If the warehouse removes the version during the read, start again at the newest, once.
    """
    progress.begin(transfer)
    fields: dict[str, Any] = {"table": transfer.table, "transfer": transfer.pk}
    with log_fields.bound(**fields), tracing.span("transfer", **fields):
        try:
            return _read(transfer, warehouse, progress, inspection)
        except VersionRemoved:
            return _read(transfer, warehouse, progress, inspection)


def _read(
    transfer: Transfer, warehouse: Warehouse, progress: Progress, inspection: Inspection
) -> TableVersion | None:
    model = tables.by_name(transfer.table)
    with source_reader.of_model(warehouse, model, progress.check) as source:
        version = load_version(model, transfer, source, progress, inspection)
        if version:
            sources.record(transfer, source.version, warehouse, progress.check)
        return version


def load_version(
    model: type[MirroredTable],
    transfer: Transfer,
    source: ThreadedSnapshot,
    progress: Progress,
    inspection: Inspection,
) -> TableVersion | None:
    """Make a version from an open source, by the fastest mode whose result equals the source."""
    schema = columns.schema(model)
    transfer.source_version = source.version
    fit = columns.check(schema, source.schema, transfer.table)
    transfer.notes = [*source.notes, *fit.accepted]
    if not transfer.forced and _has(model, schema, source.version):
        return None
    reading = Reading(model, schema, source, fit.names)
    for mode, way in modes.ways(reading, forced=transfer.forced):
        try:
            transfer.mode = mode
            version = _fill(reading, way, transfer, progress, inspection)
            break
        except (VerificationFailed, WarehouseError) as error:
            if mode == Transfer.Mode.SNAPSHOT or error.transient:
                raise
            transfer.notes.append(f"all rows were read, as {mode} failed: {error}")
            progress.log.add(f"WARNING {transfer.notes[-1]}")
    progress.phase(Transfer.WAITING)
    return version


def _fill(
    reading: Reading,
    way: modes.Way,
    transfer: Transfer,
    progress: Progress,
    inspection: Inspection,
) -> TableVersion:
    """Fill, verify and check a version in one transaction."""
    transfer.rows_total = reading.source.rows if way is modes.whole else None
    disk = Disk.of_new_relations()
    disk.check(transfer.table, reading.source.rows)
    progress.condition = disk.check_log
    with transaction.atomic():
        version = writer.create(reading.model, reading.schema, reading.source.version, transfer.pk)
        progress.phase("copying")
        for copied in way(reading, version):
            progress.copied(copied)
            disk.check_while_copying(transfer.table, copied.bytes)
        # The warehouse computes figures and runs the checks while PostgreSQL builds the indexes.
        source_figures = reading.source.figures_ahead(reading.schema, reading.names)
        measured = inspection.begin(reading.model, reading.source)
        progress.phase("indexing")
        indexes.create(reading.model, version)
        progress.phase("making the dictionary")
        search_dictionary.make(reading.model, version, reading.counts)
        progress.phase("verifying")
        transfer.figures = source_figures()
        verification.verify_copy(version, reading.schema, transfer.figures)
        writer.save_figures(version, transfer.figures)
        progress.phase("checking")
        inspection.end(transfer, measured())
        sql_view.grant(version)
    return version


def _has(model: type[MirroredTable], schema: Schema, source_version: str) -> bool:
    """Whether the newest version, even if rolled back, has this source and these columns."""
    newest = TableVersion.objects.filter(table=model._meta.db_table).first()
    return (
        newest is not None
        and newest.published_at is not None
        and newest.source_version == source_version
        and newest.columns == columns.types(schema)
    )
