"""One table's way from the warehouse to a verified version that is not published yet."""

from django.db import transaction
from pyarrow import Schema

from flights import tables
from flights.mirror import MirroredTable
from flights.models import TableVersion
from transfers import verify
from transfers.exceptions import VerificationFailed, WarehouseError
from transfers.load import columns, search_dictionary, sql_view, writer
from transfers.load.disk_space import Disk
from transfers.models import Transfer
from transfers.warehouses import Warehouse

from . import modes, source_reader
from .modes import Reading
from .progress import Progress
from .source_reader import Watched


def new_version(
    transfer: Transfer, warehouse: Warehouse, progress: Progress
) -> TableVersion | None:
    """What the transfer made; None where the newest version has the same source already."""
    progress.begin(transfer)
    with source_reader.snapshot(warehouse, transfer.table, progress.check) as source:
        return made(tables.by_name(transfer.table), transfer, source, progress)


def made(
    model: type[MirroredTable], transfer: Transfer, source: Watched, progress: Progress
) -> TableVersion | None:
    """The version of one source, filled the shortest way that gives what the source holds."""
    schema = columns.schema(model)
    transfer.source_version = source.version
    fit = columns.check(schema, source.schema, transfer.table)
    transfer.notes = fit.accepted
    if not transfer.forced and _has(model, schema, source.version):
        return None
    asked = Reading(model, schema, source, fit.names)
    for mode, way in modes.ways(asked, forced=transfer.forced):
        try:
            transfer.mode = mode
            version = _filled(asked, way, transfer, progress)
            break
        except (VerificationFailed, WarehouseError) as error:
            if mode == Transfer.Mode.SNAPSHOT or error.transient:
                raise
            transfer.notes.append(f"all rows were read, as {mode} failed: {error}")
    progress.phase(Transfer.WAITING)
    return version


def _filled(asked: Reading, way: modes.Way, transfer: Transfer, progress: Progress) -> TableVersion:
    """A verified version, or nothing: it is made in one transaction."""
    transfer.rows_total = asked.source.rows if way is modes.whole else None
    disk = Disk.of_new_relations()
    disk.check(transfer.table, asked.source.rows)
    progress.condition = disk.check_log
    with transaction.atomic():
        version = writer.create(asked.model, asked.schema, asked.source.version, transfer.pk)
        progress.phase("copying")
        for copied in way(asked, version):
            progress.copied(copied)
            disk.check_while_copying(transfer.table, copied.bytes)
        theirs = asked.source.figures_ahead(asked.schema, asked.names)  # while PostgreSQL indexes
        progress.phase("indexing")
        writer.index(asked.model, version)
        progress.phase("making the dictionary")
        search_dictionary.make(asked.model, version)
        progress.phase("verifying")
        transfer.figures = theirs()
        verify.agree(transfer.figures, writer.figures(version, asked.schema), version.table)
        writer.save_figures(version, transfer.figures)
        sql_view.grant(version)
    return version


def _has(model: type[MirroredTable], schema: Schema, source_version: str) -> bool:
    """Whether the newest version, current or rolled back from, has this source and shape."""
    newest = TableVersion.objects.filter(table=model._meta.db_table).first()
    return (
        newest is not None
        and newest.published_at is not None
        and newest.source_version == source_version
        and newest.columns == columns.types(schema)
    )
