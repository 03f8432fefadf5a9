"""Check the tables of a run before they are published: each by itself, then against each other."""

from collections.abc import Callable, Iterator

from flights import tables
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.quality import SameTotal
from transfers.exceptions import ChecksFailed, SourceMissing
from transfers.models import Transfer
from transfers.quality import table_checks
from transfers.quality.results import Result, Status, words
from transfers.quality.table_checks import Measured, Totals
from transfers.warehouses import Warehouse

from . import source_reader
from .model_names import Named
from .source_reader import ThreadedSnapshot

ADVICE = (
    "Nothing was published. Correct the records or the broker's SQL and transfer again; or publish"
    " the rows in spite of the check, with a reason, on the page of this transfer in the admin."
)


class Inspection:
    """The checks of all tables of one run."""

    def __init__(self, warehouse: Warehouse, watch: Callable[[], object]) -> None:
        self._warehouse, self._watch = warehouse, watch
        # Totals at the versions that this run reads, by table; None: the table is missing.
        self._totals: dict[str, Totals | None] = {}

    def begin(self, model: type[MirroredTable], source: ThreadedSnapshot) -> Callable[[], Measured]:
        """Start the checks of one table in the warehouse; return a function that waits for them."""
        current = TableVersion.objects.filter(published__table=model._meta.db_table).first()
        return source.ahead(lambda s: table_checks.measure(model, current, Named.of(model, s)))

    def note(self, table: str, totals: Totals | None) -> None:
        """Remember the totals of a table; None if they cannot be compared."""
        self._totals[table] = totals

    def end(self, transfer: Transfer, measured: Measured) -> None:
        """Record the results of one table's checks; ChecksFailed if one of them blocks."""
        self.note(transfer.table, measured.totals)
        transfer.checks = []
        _record(transfer, measured.results)

    def compare(
        self, transfers: list[Transfer], new: dict[str, TableVersion]
    ) -> Iterator[Transfer]:
        """Compare the totals of the tables of a run; yields each transfer before its checks.

        A table without a new version is compared, too, if the other one has a new version: tables
        that are transferred together agree. ChecksFailed if a check blocks.
        """
        for transfer in transfers:
            model, is_new = tables.by_name(transfer.table), transfer.table in new
            checks = comparisons(model)
            due = [c for c in checks if is_new or (c.table in new and not _overridden(transfer))]
            if due:
                yield transfer
                _record(transfer, [self.compared(model, check) for check in due])

    def compared(self, model: type[MirroredTable], check: SameTotal) -> Result:
        """Compare a total of a table with that of another one."""
        what, severity = words(model, check), check.severity.value
        ours, theirs = self._of(model._meta.db_table), self._of(check.table)
        if ours is None or theirs is None:
            missing = check.table if theirs is None else model._meta.db_table
            finding = f"the warehouse has no table {missing} whose columns fit"
            return Result(what, severity, Status.SKIPPED, finding)
        one, other = ours[check.total], theirs[check.other]
        if one == other:
            return Result(what, severity, Status.PASSED)
        finding = f"{one:,} and {other:,} in {check.table}"
        return Result(what, severity, Status.FAILED, finding)

    def _of(self, table: str) -> Totals | None:
        """The totals of a table at the version that this run read, or else at the current one."""
        if table not in self._totals:
            self._totals[table] = self._read(table)
        return self._totals[table]

    def _read(self, table: str) -> Totals | None:
        try:
            model = tables.by_name(table)
            with source_reader.of_model(self._warehouse, model, self._watch) as source:
                return source.ahead(lambda s: table_checks.totals(model, Named.of(model, s)))()
        except SourceMissing:
            return None


def comparisons(model: type[MirroredTable]) -> list[SameTotal]:
    """The checks that compare a table with others."""
    return [check for check in model.mirror.checks if isinstance(check, SameTotal)]


def _record(transfer: Transfer, results: list[Result]) -> None:
    """Add results to a transfer; ChecksFailed if one blocks and nobody has overridden it."""
    failed = [result for result in results if result.status == Status.FAILED]
    blocking = [str(result) for result in failed if result.blocks]
    transfer.checks = [*(transfer.checks or []), *(result.json() for result in results)]
    transfer.notes = [*transfer.notes, *(f"check failed: {result}" for result in failed)]
    if blocking and not transfer.override:
        raise ChecksFailed(f"{transfer.table}: check failed: {'; '.join(blocking)}.", advice=ADVICE)


def _overridden(transfer: Transfer) -> bool:
    """Whether the newest version of an unchanged table was published in spite of its checks."""
    newest = TableVersion.objects.filter(table=transfer.table).first()
    return bool(newest and newest.override)
