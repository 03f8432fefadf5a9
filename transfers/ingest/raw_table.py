"""Write raw flight records from files to the warehouse: all files of one call, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from transfers import warehouses
from transfers.exceptions import BadInput, SchemaMismatch, TableNotEmpty
from transfers.warehouses import Change, Warehouse

from . import files, incoming, ingested_files, loading, months, plan, raw_upgrade, repeats
from .ingested_files import INGESTED, Entry
from .loading import TYPES_ADVICE, Loaded, Progress
from .plan import Plan
from .repeats import RAW, Treatment

__all__ = ["INGESTED", "RAW", "Ingested", "Mode", "Progress", "Treatment", "ingest"]

SAME = "same date, airline, flight number, airports and scheduled departure"
RECORDS_ADVICE = (
    "Use --append to keep them or --replace to delete them. --replace-months deletes only those of"
    " the months in the files."
)
REPEATED_ADVICE = "Choose to keep repeated flights, or to drop them so that one of each stays."

type Mode = Literal["append", "replace", "months"]


@dataclass(frozen=True)
class Ingested:
    """The result for one file; `new` is False if an earlier call had ingested its content."""

    path: Path
    rows: int
    new: bool
    warnings: tuple[str, ...] = ()  # of implausible values in added records


def ingest(
    warehouse: Warehouse,
    paths: Sequence[Path] | Plan,
    mode: Mode | None = None,
    progress: Progress = lambda path, rows, share: None,
    repeated: Treatment = "keep",
) -> list[Ingested]:
    """Add the records of files to the raw table ("append"), or replace its records by them.

    "months" replaces only the months that the files contain. `paths` are files and folders, or the
    plan of how to read them. Skip files whose content the table already has. TableNotEmpty if the
    table has records of other files and there is no mode, BadInput if a file breaks a rule,
    WarehouseError if the warehouse fails; nothing is changed then.
    """
    planned = paths if isinstance(paths, Plan) else plan.read(paths)
    stamps = {path: files.stamp(path) for path in planned.files}
    digests: dict[str, Path] = {}
    for path in planned.files:
        digests.setdefault(files.digest(path), path)
    with warehouse.change() as change:
        table = incoming.name(digests)
        return _Ingest(change, planned, stamps, mode, progress, repeated, table).run(digests)


@dataclass(frozen=True)
class _Ingest:
    """One call of `ingest`."""

    change: Change
    plan: Plan
    stamps: Mapping[Path, files.Stamp]  # before their SHA-256 were computed
    mode: Mode | None
    progress: Progress
    repeated: Treatment
    incoming: str  # name of the table for new rows (`incoming`)

    def run(self, digests: Mapping[str, Path]) -> list[Ingested]:
        """Ingest the files whose records the table lacks; `digests` maps SHA-256 to file."""
        entries = ingested_files.read(self.change)
        current = {entry.digest: entry for entry in entries if self._is_current(entry)}
        records = self._records()
        replaces_all = self.mode == "replace" and {*current} != {*digests}
        if not records:  # somebody emptied or dropped the table: its files no longer count
            replaces_all = bool(entries)
        if replaces_all:
            entries, current = [], {}
        new = {digest: path for digest, path in digests.items() if digest not in current}
        loaded: dict[str, Loaded] = {}
        if new:
            self._prepare(new, records, replaces_all=replaces_all)
            loaded = self._load(new, entries)
        return [
            Ingested(path, loaded[digest].rows, True, loaded[digest].warnings)
            if digest in loaded
            else Ingested(path, current[digest].rows, False)
            for digest, path in digests.items()
        ]

    def _is_current(self, entry: Entry) -> bool:
        """Whether the table still has a file's records; a file without dates may be replaced."""
        return not entry.is_replaced and (self.mode != "months" or entry.first is not None)

    def _records(self) -> int:
        if RAW not in self.change.tables():
            return 0
        return warehouses.count(self.change, RAW)

    def _prepare(self, new: Mapping[str, Path], records: int, *, replaces_all: bool) -> None:
        """Prepare the existing raw table for new records, or drop it.

        TableNotEmpty if it has records and there is no mode.
        """
        if records and self.mode is None:
            problem = f"The warehouse has {records:,} other records."
            raise TableNotEmpty(problem, advice=RECORDS_ADVICE)
        keeps_table = RAW in self.change.tables() and not replaces_all
        if keeps_table:
            raw_upgrade.upgrade(self.change, RAW)
        if self.repeated == "refuse" and self.mode != "months":
            self._refuse_repeats(new, [RAW] if keeps_table else [])
        if replaces_all:
            # In this order: after a kill in between, no file counts as already ingested.
            self.change.drop(INGESTED)
            self.change.drop(RAW)

    def _load(self, new: Mapping[str, Path], entries: list[Entry]) -> dict[str, Loaded]:
        """Load the records of files, then their entries among the ingested files."""
        if self.mode == "months":
            loaded = self._load_months(new, entries)
            entries = ingested_files.read(self.change)
        else:
            keys = {digest: ingested_files.key(digest, entries) for digest in new}
            loaded = {digest: self._read(RAW, path, keys[digest]) for digest, path in new.items()}
            self.change.flush()
        self._count_repeats(loaded)
        for digest, file in loaded.items():
            entry = Entry(digest, new[digest].name, file.rows, file.first, file.last)
            ingested_files.add(self.change, entry, ingested_files.key(digest, entries))
        return loaded

    def _load_months(self, new: Mapping[str, Path], entries: list[Entry]) -> dict[str, Loaded]:
        """Replace the months of the files; files whose months are replaced no longer count."""
        loaded = self._stage(new)
        if self.repeated == "refuse":
            self._refuse(new, repeats.count(self.change, _dates(loaded), self.incoming))
        replaced = months.of(self.change, self.incoming)
        ingested_files.forget(
            self.change,
            {e.digest for e in entries if e.has_month(replaced) or e.digest in new},
        )
        try:
            months.replace(self.change, replaced, self.incoming)
        except SchemaMismatch as error:
            raise BadInput(str(error), file=_names(new), advice=TYPES_ADVICE) from None
        self.change.drop(self.incoming)
        return loaded

    def _stage(self, new: Mapping[str, Path]) -> dict[str, Loaded]:
        """Load the records of files into a table of their own."""
        incoming.drop_abandoned(self.change, self.incoming)
        loaded = {digest: self._read(self.incoming, path, digest) for digest, path in new.items()}
        self.change.flush()
        return loaded

    def _read(self, table: str, path: Path, key: str) -> Loaded:
        loaded = loading.load(self.change, table, self.plan, path, key, self.progress)
        files.check_unchanged(path, self.stamps[path])
        return loaded

    def _refuse_repeats(self, new: Mapping[str, Path], others: list[str]) -> None:
        """Raise BadInput if the new records repeat each other, or those of other tables."""
        condition = _dates(self._stage(new))
        before = repeats.count(self.change, condition, *others) if others else 0
        self._refuse(new, repeats.count(self.change, condition, self.incoming, *others) - before)
        self.change.drop(self.incoming)

    def _refuse(self, new: Mapping[str, Path], count: int) -> None:
        if count:
            self.change.drop(self.incoming)
            self.change.flush()
            problem = f"{count:,} repeated flights ({SAME})."
            raise BadInput(problem, file=_names(new), advice=REPEATED_ADVICE)

    def _count_repeats(self, loaded: Mapping[str, Loaded]) -> None:
        """Warn of repeated flights on the new records' dates; drop them if `repeated` is "drop"."""
        condition = _dates(loaded)
        if count := repeats.count(self.change, condition, RAW):
            done = "One of each is kept." if self.repeated == "drop" else "All are kept."
            if self.repeated == "drop":
                repeats.drop(self.change, condition, self.incoming)
            *_, last = loaded.values()
            last.warnings += (f"{count:,} repeated flights ({SAME}). {done}",)


def _dates(loaded: Mapping[str, Loaded]) -> str:
    """Return the SQL condition of the dates from the first to the last record."""
    first = min(file.first for file in loaded.values())
    last = max(file.last for file in loaded.values())
    return f"Flight_Date BETWEEN DATE '{first}' AND DATE '{last}'"


def _names(new: Mapping[str, Path]) -> str:
    return ", ".join(str(path) for path in new.values())
