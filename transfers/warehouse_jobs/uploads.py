"""Uploaded files of flight records: stored until a person confirms them, and then until their job.

Between the upload and its confirmation the browser keeps the signed name of the stored file. A file
that nobody confirms is removed after an hour. Lists of airlines and airports are stored beside it.
"""

import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from django.core import signing
from django.core.files.storage import Storage
from django.core.files.uploadedfile import UploadedFile
from django.db.models import FileField
from django.utils import timezone

from transfers import disk_errors
from transfers.exceptions import UploadGone
from transfers.models import WarehouseJob

FOLDER = "uploads"
# A web process may still write a younger upload without a job, or a person may read its report.
ORPHANED_AFTER = timedelta(hours=1)
CONFIRMED_WITHIN = timedelta(minutes=50)  # less, so that no file disappears while it is confirmed
LISTS = ("airlines", "airports")
SALT = "upload of flight records"


@dataclass(frozen=True)
class Upload:
    """A stored file, its original name, and the text of its mapping file, if any.

    `airlines` and `airports` are the names of lists that are stored beside it; empty without one.
    """

    stored: str
    name: str
    mapping: str = ""
    airlines: str = ""
    airports: str = ""

    @classmethod
    def of(cls, job: WarehouseJob) -> Self:
        lists = {kind: job.options.get(kind, "") for kind in LISTS}
        return cls(str(job.file.name), job.name, job.mapping, **lists)

    @property
    def token(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @property
    def path(self) -> Path:
        return Path(storage().path(self.stored))

    @property
    def lists(self) -> dict[str, str]:
        """The original names of its lists, by kind."""
        names = {"airlines": self.airlines, "airports": self.airports}
        return {kind: name for kind, name in names.items() if name}

    def list_path(self, kind: str) -> Path:
        return Path(storage().path(_list(self.stored, kind)))


def storage() -> Storage:
    """Where uploads are: a folder that web servers and workers share."""
    field: FileField = WarehouseJob._meta.get_field("file")
    return field.storage


def store(file: "UploadedFile[bytes]") -> Upload:
    """Store a file under a random name; DiskError if that fails."""
    upload = Upload(f"{FOLDER}/{uuid.uuid4()}", Path(file.name or "records").name)
    try:
        _save(upload.stored, file)
    except BaseException:
        remove(upload)  # a full disk may hold a part of it
        raise
    return upload


def add_list(upload: Upload, kind: str, file: "UploadedFile[bytes]") -> Upload:
    """Store a list beside the file; it replaces an earlier list of its kind."""
    name = _list(upload.stored, kind)
    storage().delete(name)
    _save(name, file)
    names: dict[str, Any] = {kind: Path(file.name or kind).name}
    return replace(upload, **names)


def remove(upload: Upload) -> None:
    for name in (upload.stored, *(_list(upload.stored, kind) for kind in LISTS)):
        with suppress(OSError):
            storage().delete(name)


def find(token: str) -> Upload:
    """Return the upload of a token; UploadGone if the token is forged or old, or the file gone."""
    try:
        upload = Upload(**signing.loads(token, salt=SALT, max_age=CONFIRMED_WITHIN))
    except signing.BadSignature:
        raise _gone() from None
    if not upload.path.exists():
        raise _gone()
    return upload


def confirm(upload: Upload) -> Upload:
    """Rename a stored file, so that only one confirmation succeeds; UploadGone for the others."""
    confirmed = replace(upload, stored=f"{FOLDER}/{uuid.uuid4()}")
    try:
        upload.path.rename(confirmed.path)
        for kind in upload.lists:
            upload.list_path(kind).rename(confirmed.list_path(kind))
    except FileNotFoundError:
        raise _gone() from None
    return confirmed


def remove_orphans() -> int:
    """Remove uploads without a job; returns the number of files."""
    files = storage()
    if not files.exists(FOLDER):
        return 0
    before = timezone.now() - ORPHANED_AFTER
    owned = set(WarehouseJob.objects.exclude(file="").values_list("file", flat=True))
    names = [f"{FOLDER}/{name}" for name in files.listdir(FOLDER)[1]]
    orphans = [name for name in names if name.partition(".")[0] not in owned]
    old = [name for name in orphans if files.get_modified_time(name) < before]
    for name in old:
        files.delete(name)
    return len(old)


def _save(name: str, file: "UploadedFile[bytes]") -> None:
    with disk_errors.reported("The file cannot be stored"):
        storage().save(name, file)


def _list(stored: str, kind: str) -> str:
    return f"{stored}.{kind}"


def _gone() -> UploadGone:
    minutes = CONFIRMED_WITHIN.seconds // 60
    problem = f"The file is not stored any more: a job has it, or {minutes} minutes have passed."
    return UploadGone(problem, advice="Upload it again.")
