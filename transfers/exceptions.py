"""What can go wrong between raw records and a published version.

TransferError
 ├─ BadInput            a file of raw records breaks a rule
 ├─ RecordsThere        nobody said what becomes of the records that are there
 ├─ WarehouseError      the warehouse failed or refused
 │   ├─ WarehouseBusy         another process is changing it
 │   ├─ WarehouseUnavailable  it does not answer, or broke off
 │   │   └─ WarehouseStarting     it is not up yet
 │   └─ SourceMissing         it has no such table
 ├─ SchemaMismatch      a table's columns are not those that are needed
 ├─ Unstorable          PostgreSQL cannot hold a value
 ├─ NoRoom              PostgreSQL's disk is full, or too full for another version
 ├─ DiskError           the operating system refuses to read or write a file
 ├─ VerificationFailed  a copy is not equal to its source
 ├─ AlreadyRunning      the table's last transfer has not ended
 ├─ ClaimLost           somebody else ended the transfer while it ran
 ├─ NothingToDo         what should be ended has ended already
 ├─ QueueDown           the queue of tasks does not answer
 ├─ NotDelivered        a channel did not take an alert
 └─ NoSuchVersion       the version was never made, or is no longer kept
"""


class TransferError(Exception):
    """One line on what is wrong; `advice` says what to do about it, or is empty.

    `transient` says whether the same may succeed later though nobody changes anything.
    """

    transient = False

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    @property
    def told(self) -> str:
        """What is wrong and what to do about it, in one line."""
        return f"{self} {self.advice}".strip()


class BadInput(TransferError):
    """Names the file and, where known, the place: a line (or a Parquet row) and a column."""

    def __init__(
        self, problem: str, *, file: str, place: str = "", column: str = "", advice: str = ""
    ) -> None:
        self.file, self.place, self.column = file, place, column
        where = ", ".join(part for part in (file, place, column and f"column {column}") if part)
        super().__init__(f"{where}: {problem}", advice=advice)


class RecordsThere(TransferError):
    pass


class WarehouseError(TransferError):
    pass


class WarehouseBusy(WarehouseError):
    transient = True


class WarehouseUnavailable(WarehouseError):
    transient = True


class WarehouseStarting(WarehouseUnavailable):
    pass


class SourceMissing(WarehouseError):
    pass


class SchemaMismatch(TransferError):
    pass


class Unstorable(TransferError):
    pass


class NoRoom(TransferError):
    pass


class DiskError(TransferError):
    pass


class VerificationFailed(TransferError):
    pass


class AlreadyRunning(TransferError):
    pass


class ClaimLost(TransferError):
    pass


class NothingToDo(TransferError):
    pass


class QueueDown(TransferError):
    pass


class NotDelivered(TransferError):
    pass


class NoSuchVersion(TransferError):
    pass
