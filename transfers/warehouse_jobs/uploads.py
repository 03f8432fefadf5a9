"""Uploaded files of flight records: stored, explained, and then given to a job.

Between the upload and its confirmation the browser keeps the signed name of the stored file. A file
that nobody confirms is removed after an hour.
"""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from django.core import signing
from django.core.files.storage import Storage
from django.core.files.uploadedfile import UploadedFile
from django.db.models import FileField
from django.utils import timezone

from transfers import disk_errors
from transfers.exceptions import TransferError, UploadGone
from transfers.ingest import mapping_file, plan
from transfers.ingest.mapping_file import Sample
from transfers.ingest.plan import Plan
from transfers.models import WarehouseJob

FOLDER = "uploads"
# A younger upload without a job may be one that a web process stores, or that a person reads about.
ORPHANED_AFTER = timedelta(hours=1)
CONFIRMED_WITHIN = timedelta(minutes=50)  # less, so that no file disappears while it is confirmed
MAPPING = "mapping.toml"
SALT = "upload of flight records"


@dataclass(frozen=True)
class Upload:
    """A stored file, the name that it has for people, and the text of its mapping file, if any."""

    stored: str
    name: str
    mapping: str = ""

    @property
    def token(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @property
    def path(self) -> Path:
        return Path(storage().path(self.stored))


def storage() -> Storage:
    """Where uploads are: a folder that web servers and workers share."""
    field: FileField = WarehouseJob._meta.get_field("file")
    return field.storage


def store(file: "UploadedFile[bytes]") -> Upload:
    """Store a file for as long as it takes to confirm it, or to do its job."""
    upload = Upload(f"{FOLDER}/{uuid.uuid4()}", Path(file.name or "records").name)
    try:
        with disk_errors.reported("The file cannot be stored"):
            storage().save(upload.stored, file)
    except BaseException:
        remove(upload)  # a full disk may hold a part of it
        raise
    return upload


def remove(upload: Upload) -> None:
    with suppress(OSError):
        storage().delete(upload.stored)


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
    except FileNotFoundError:
        raise _gone() from None
    return confirmed


@contextmanager
def planned(path: str, name: str, mapping: str) -> Iterator[Plan]:
    """Plan the ingest of a stored file. Reports and errors of the block use its name for people."""
    with tempfile.TemporaryDirectory() as folder:
        link, columns = Path(folder) / name, Path(folder) / MAPPING
        link.symlink_to(path)
        columns.write_text(mapping, encoding="utf-8")
        try:
            yield plan.read([link], columns if mapping else None)
        except TransferError as error:
            error.args = (str(error).replace(f"{folder}/", ""),)
            raise


def report(upload: Upload) -> list[str]:
    """Say how a file would be ingested; BadInput if it cannot be."""
    with planned(str(upload.path), upload.name, upload.mapping) as result:
        return result.lines()


def mapping_of(upload: Upload) -> str:
    """Return a mapping file with guesses for a file of an unknown form; "" for others."""
    try:
        report(replace(upload, mapping=""))
    except plan.Unrecognized as error:
        if error.can_be_mapped:
            sample = Sample.of(error.lines)
            return mapping_file.text(sample, upload.name, f"{upload.name}.mapping.toml")
    except TransferError:
        return ""
    return ""


def remove_orphans() -> int:
    """Remove uploads without a job; returns their number."""
    files = storage()
    if not files.exists(FOLDER):
        return 0
    before = timezone.now() - ORPHANED_AFTER
    owned = set(WarehouseJob.objects.exclude(file="").values_list("file", flat=True))
    names = [f"{FOLDER}/{name}" for name in files.listdir(FOLDER)[1]]
    orphans = [n for n in names if n not in owned and files.get_modified_time(n) < before]
    for name in orphans:
        files.delete(name)
    return len(orphans)


def _gone() -> UploadGone:
    minutes = CONFIRMED_WITHIN.seconds // 60
    problem = f"The file is not stored any more: a job has it, or {minutes} minutes have passed."
    return UploadGone(problem, advice="Upload it again.")
