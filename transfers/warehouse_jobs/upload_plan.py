"""How an uploaded file would be ingested, and the mapping file for one of an unknown form."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile

from transfers.exceptions import TransferError
from transfers.ingest import lookup_files, mapping_file, plan
from transfers.ingest.mapping_file import Sample
from transfers.ingest.plan import Plan

from .uploads import LISTS, Upload

MAPPING = "mapping.toml"


@contextmanager
def planned(upload: Upload) -> Iterator[Plan]:
    """Plan the ingest of an upload. Reports and errors in the block have original file names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            yield _plan(upload, folder)
        except TransferError as error:
            error.args = (_without(folder, str(error)),)
            raise


def report(upload: Upload) -> list[str]:
    """Say how a file would be ingested; BadInput if it cannot be."""
    with planned(upload) as result:
        return result.lines()


def check_list(file: "UploadedFile[bytes]") -> None:
    """Raise BadInput if an uploaded file is not a list of airlines or airports."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(file.name or "list").name)
        path.write_bytes(file.read())
        file.seek(0)
        try:
            lookup_files.check(path)
        except TransferError as error:
            error.args = (_without(Path(folder), str(error)),)
            raise


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


def _plan(upload: Upload, folder: Path) -> Plan:
    records, columns = _link(folder, upload.name, upload.path), folder / MAPPING
    columns.write_text(upload.mapping, encoding="utf-8")
    lists = {
        kind: _link(folder / kind, file, upload.list_path(kind))
        for kind, file in upload.lists.items()
    }
    return plan.read([records], columns if upload.mapping else None, **lists)


def _link(folder: Path, name: str, path: Path) -> Path:
    """Make a link to a stored file under its original name."""
    folder.mkdir(exist_ok=True)
    link = folder / name
    link.symlink_to(path)
    return link


def _without(folder: Path, text: str) -> str:
    for part in (*(folder / kind for kind in LISTS), folder):
        text = text.replace(f"{part}/", "")
    return text
