"""Preview the effect of a transfer: `manage.py transfer --dry-run`.

The source is copied into a temporary relation, which no other process sees, and compared with the
published version. The relation disappears at the end of the transaction. The quality checks run in
the warehouse, at the version that is copied.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
from django.db import transaction

from flights.mirror import MirroredTable, column
from flights.models import TableVersion
from transfers.load import columns, row_changes, writer
from transfers.load.row_changes import RowChanges
from transfers.quality.results import Result
from transfers.terminal import check_lines
from transfers.warehouses import Warehouse

from . import source_reader
from .modes import Reading, whole
from .quality import Inspection, comparisons


@dataclass
class Preview:
    table: str
    source_version: str
    accepted: list[str]
    refused: list[str]
    lost: list[str]  # columns and types that the public API would lose
    rows: RowChanges | None = None  # None: a refused column prevents reading
    checks: list[Result] = field(default_factory=list)  # of quality, at the same version

    @property
    def is_refused(self) -> bool:
        """Whether a transfer would publish nothing."""
        return bool(self.refused) or any(check.blocks for check in self.checks)

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "is_refused": self.is_refused}

    def lines(self) -> list[str]:
        """A report for people, one line for each difference."""
        lines = [f"  refused: {line}" for line in self.refused]
        lines += [f"  accepted: {line}" for line in self.accepted]
        lines += [f"  the public API would lose {line}" for line in self.lost]
        if self.rows:
            lines.append(
                f"  rows: {self.rows.added:,} added, {self.rows.removed:,} removed,"
                f" {self.rows.changed:,} changed"
            )
            lines += [f"  removed: {key}" for key in self.rows.examples]
            lines += check_lines([check.json() for check in self.checks])
        else:
            lines.append(f"  {columns.MISMATCH_ADVICE}")
        return [f"{self.table} at version {self.source_version} of the warehouse", *lines]


def previews(
    models: Sequence[type[MirroredTable]],
    warehouse: Warehouse,
    begin: Callable[[str], object] = lambda table: None,
) -> list[Preview]:
    """The effect of transfers that run together; calls `begin` with the name of each table."""
    inspection = Inspection(warehouse, watch=lambda: None)
    results = []
    for model in models:
        begin(model._meta.db_table)
        results.append(_preview(model, warehouse, inspection))
    for model, result in zip(models, results, strict=True):
        if not result.refused:
            compared = [inspection.compared(model, check) for check in comparisons(model)]
            result.checks += compared
    return results


def _preview(model: type[MirroredTable], warehouse: Warehouse, inspection: Inspection) -> Preview:
    """The differences between the source and the published version, and the table's own checks."""
    table, schema = model._meta.db_table, columns.schema(model)
    published = TableVersion.objects.filter(published__table=table).first()
    with source_reader.of_model(warehouse, model, check=lambda: None) as source:
        fit = columns.compare(schema, source.schema)
        lost = _lost(schema, published)
        result = Preview(table, source.version, fit.accepted, fit.refused, lost)
        inspection.note(table, None)
        if not fit.refused:
            # Copied before the checks, as in a transfer: it refuses values that no example shows.
            result.rows = _rows(Reading(model, schema, source, fit.names), published)
            measured = inspection.begin(model, source)()
            result.checks = measured.results
            inspection.note(table, measured.totals)
    return result


def _lost(schema: pa.Schema, published: TableVersion | None) -> list[str]:
    """Published columns that would disappear or change their type."""
    new, old = columns.types(schema), published.columns if published else {}
    gone = [f"column {name}" for name in old if name not in new]
    return gone + [
        f"{type_} as the type of {name}, which would be {new[name]}"
        for name, type_ in old.items()
        if name in new and new[name] != type_
    ]


def _rows(reading: Reading, published: TableVersion | None) -> RowChanges:
    with transaction.atomic():
        copied = writer.make_temporary(reading.model._meta.db_table, reading.schema)
        for _ in whole(reading, copied):
            pass
        changes = _compared(reading, published, copied)
        transaction.set_rollback(True)
    return changes


def _compared(reading: Reading, published: TableVersion | None, copied: TableVersion) -> RowChanges:
    if published is None:
        return RowChanges(added=reading.source.rows, removed=0, changed=0)
    types = {field.name: columns.postgresql(field.type) for field in reading.schema}
    shared = [name for name, type_ in types.items() if published.columns.get(name) == type_]
    key = [column(reading.model, name) for name in reading.model.mirror.key]
    return row_changes.between(published.relation, copied.relation, shared, key)
