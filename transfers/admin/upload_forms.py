"""The forms of the page that ingests a file: the upload, and what to do with it."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget

from transfers.exceptions import BadInput
from transfers.ingest.inputs import SUFFIXES
from transfers.models import WarehouseJob
from transfers.warehouse_jobs import upload_plan
from transfers.warehouse_jobs.uploads import LISTS

type File = UploadedFile[bytes]
MAPPING_BYTES = 50_000
LIST_BYTES = 4 << 20  # the DOT's longest list has 0.4 MB
KINDS = [
    (WarehouseJob.Kind.APPEND, "keep"),
    (WarehouseJob.Kind.MONTHS, "delete those of the file's months"),
    (WarehouseJob.Kind.REPLACE, "delete"),
]
TREATMENTS = [("keep", "keep"), ("refuse", "refuse the file"), ("drop", "keep one of each")]


class UploadForm(forms.Form):
    """A file of raw flight records."""

    file = forms.FileField(
        help_text=f"CSV (.csv, .gz, .zip) or Parquet, up to {settings.UPLOAD_LIMIT >> 20:,} MiB",
        widget=UnfoldAdminFileFieldWidget,
    )

    def clean_file(self) -> File:
        file: File = self.cleaned_data["file"]
        if not (file.name or "").lower().endswith(SUFFIXES):
            raise forms.ValidationError(f"{file.name} has no suffix of a CSV or Parquet file.")
        if (file.size or 0) > settings.UPLOAD_LIMIT:
            raise forms.ValidationError("The file is too large to upload. Use manage.py ingest.")
        return file


def _choice(label: str, choices: Any, **options: Any) -> forms.ChoiceField:
    first = choices[0][0]
    widget = UnfoldAdminRadioSelectWidget
    return forms.ChoiceField(label=label, choices=choices, initial=first, widget=widget, **options)


def _file(label: str, help_text: str) -> forms.FileField:
    return forms.FileField(
        label=label, required=False, help_text=help_text, widget=UnfoldAdminFileFieldWidget
    )


class ConfirmForm(forms.Form):
    """What to do with an uploaded file, and further files that say what its records mean."""

    upload = forms.CharField(widget=forms.HiddenInput)
    kind = _choice("Existing records", KINDS)
    repeated = _choice(
        "Repeated flights",
        TREATMENTS,
        required=False,
        help_text="flights with the same date, airline, number, airports and scheduled departure;"
        " the job counts them",
    )
    columns = _file(
        "Mapping file",
        "a TOML file that says what the columns mean; you see the new report first",
    )
    airlines = _file(
        "List of airlines",
        "a lookup table of the DOT (Code,Description) that names codes; you see the new report"
        " first",
    )
    airports = _file("List of airports", "a lookup table of the DOT with the cities of codes")

    @property
    def choices(self) -> dict[str, str]:
        """The valid values of the choices."""
        names = ("kind", "repeated")
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    @property
    def lists(self) -> dict[str, File]:
        """The lists that were uploaded, by kind."""
        return {kind: file for kind in LISTS if (file := self.cleaned_data[kind])}

    def clean_repeated(self) -> str:
        return self.cleaned_data["repeated"] or TREATMENTS[0][0]

    def clean_columns(self) -> str:
        file: File | None = self.cleaned_data["columns"]
        if not file:
            return ""
        if (file.size or 0) > MAPPING_BYTES:
            raise forms.ValidationError(f"A mapping file has at most {MAPPING_BYTES:,} bytes.")
        try:
            text: str = file.read().decode()
        except UnicodeDecodeError:
            raise forms.ValidationError("The mapping file is not UTF-8.") from None
        return text

    def clean_airlines(self) -> File | None:
        return self._list("airlines")

    def clean_airports(self) -> File | None:
        return self._list("airports")

    def _list(self, kind: str) -> File | None:
        file: File | None = self.cleaned_data[kind]
        if file and (file.size or 0) > LIST_BYTES:
            raise forms.ValidationError(f"A list has at most {LIST_BYTES >> 20} MiB.")
        try:
            if file:
                upload_plan.check_list(file)
        except BadInput as error:
            raise forms.ValidationError(error.full_message) from None
        return file
