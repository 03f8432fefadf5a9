"""Exceptions between raw records and a published version.

TransferError
 ├─ BadInput            a file of raw records breaks a rule
 ├─ BadMonths           a text names no month, or one without records
 ├─ DownloadFailed      a server did not deliver a file
 │   ├─ NotPublished          it has no such file
 │   └─ BadDownload           the file is not a valid file of its month
 ├─ UploadGone          an uploaded file is not stored any more
 ├─ TableNotEmpty       the warehouse has records; say whether to append or to replace
 ├─ WarehouseError      the warehouse failed, or refused a statement
 │   ├─ WarehouseBusy         another process is changing it
 │   ├─ WarehouseUnavailable  it does not answer, or the connection broke
 │   │   ├─ WarehouseStarting     it is starting
 │   │   └─ StorageUnavailable    the storage that has its results does not answer
 │   ├─ SourceMissing         it has no such table
 │   └─ VersionRemoved        it no longer has the version that a transfer reads
 ├─ SchemaMismatch      a source table lacks columns, or has others
 ├─ Unstorable          PostgreSQL cannot store a value
 ├─ NoRoom              PostgreSQL's disk is full, or has no room for another version
 ├─ DiskError           the operating system refuses to read or write a file
 ├─ VerificationFailed  a copy differs from its source
 ├─ ChecksFailed        the rows break a quality check that blocks their publication
 ├─ AlreadyRunning      another transfer of the table runs
 ├─ ClaimLost           another process ended the transfer while it ran
 ├─ NothingToDo         a transfer to cancel has ended already
 ├─ QueueDown           the queue of tasks does not answer
 ├─ NotDelivered        a channel did not accept an alert
 └─ NoSuchVersion       the version never existed, or was removed
"""


class TransferError(Exception):
    """One line that says what is wrong; `advice` says what to do about it, or is empty.

    `transient` says whether another attempt can succeed although nobody changes anything.
    """

    transient = False

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    @property
    def full_message(self) -> str:
        """What is wrong and what to do about it, in one line."""
        return f"{self} {self.advice}".strip()


class BadInput(TransferError):
    """Names the file and, if known, the line (or Parquet row) and the column."""

    def __init__(
        self, problem: str, *, file: str, place: str = "", column: str = "", advice: str = ""
    ) -> None:
        self.file, self.place, self.column = file, place, column
        where = ", ".join(part for part in (file, place, column and f"column {column}") if part)
        super().__init__(f"{where}: {problem}", advice=advice)


class BadMonths(TransferError):
    pass


class DownloadFailed(TransferError):
    transient = True


class NotPublished(DownloadFailed):
    transient = False


class BadDownload(DownloadFailed):
    transient = False


class UploadGone(TransferError):
    pass


class TableNotEmpty(TransferError):
    pass


class WarehouseError(TransferError):
    pass


class WarehouseBusy(WarehouseError):
    transient = True


class WarehouseUnavailable(WarehouseError):
    transient = True


class WarehouseStarting(WarehouseUnavailable):
    pass


class StorageUnavailable(WarehouseUnavailable):
    pass


class SourceMissing(WarehouseError):
    pass


class VersionRemoved(WarehouseError):
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


class ChecksFailed(TransferError):
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
