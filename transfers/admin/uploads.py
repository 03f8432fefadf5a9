"""The page that ingests a file: upload it, read how it would be ingested, and confirm."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import content_disposition_header
from django.utils.text import get_valid_filename
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget

from transfers import tasks
from transfers.exceptions import BadInput, TransferError, UploadGone
from transfers.ingest.inputs import SUFFIXES
from transfers.models import WarehouseJob
from transfers.warehouse_jobs import uploads
from transfers.warehouse_jobs.uploads import Upload

from .confirmation import done, show

type Page = admin.ModelAdmin[Any]
TITLE = "Ingest a file"
UPLOAD_TEXT = "First you see how the file would be ingested. Nothing is ingested until you confirm."
CONFIRM_TEXT = "If any record is invalid, none is added."
UNKNOWN_TEXT = "Say by a mapping file what the columns mean. The one to download has guesses."
MAPPING_BYTES = 50_000


class UploadForm(forms.Form):
    """A file of raw flight records."""

    file = forms.FileField(
        help_text=f"CSV (.csv, .gz, .zip) or Parquet, up to {settings.UPLOAD_LIMIT >> 20:,} MiB",
        widget=UnfoldAdminFileFieldWidget,
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if not (file.name or "").lower().endswith(SUFFIXES):
            raise forms.ValidationError(f"{file.name} has no suffix of a CSV or Parquet file.")
        if (file.size or 0) > settings.UPLOAD_LIMIT:
            raise forms.ValidationError("The file is too large to upload. Use manage.py ingest.")
        return file


class ConfirmForm(forms.Form):
    """What to do with an uploaded file."""

    upload = forms.CharField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="Existing records",
        choices=[
            (WarehouseJob.Kind.APPEND, "keep"),
            (WarehouseJob.Kind.MONTHS, "delete those of the file's months"),
            (WarehouseJob.Kind.REPLACE, "delete"),
        ],
        initial=WarehouseJob.Kind.APPEND,
        widget=UnfoldAdminRadioSelectWidget,
    )
    columns = forms.FileField(
        label="Mapping file",
        required=False,
        help_text="a TOML file that says what the columns mean; you see the new report first",
        widget=UnfoldAdminFileFieldWidget,
    )

    def clean_columns(self) -> str:
        file: UploadedFile[bytes] | None = self.cleaned_data["columns"]
        if not file:
            return ""
        if (file.size or 0) > MAPPING_BYTES:
            raise forms.ValidationError(f"A mapping file has at most {MAPPING_BYTES:,} bytes.")
        try:
            text: str = file.read().decode()
        except UnicodeDecodeError:
            raise forms.ValidationError("The mapping file is not UTF-8.") from None
        return text


def ingest(page: Page, request: HttpRequest) -> HttpResponse:
    """Show the step that the request leads to."""
    try:
        if token := request.GET.get("mapping"):
            return _mapping(uploads.find(token))
        if request.method == "POST" and "upload" in request.POST:
            return _confirm(page, request, uploads.find(request.POST["upload"]))
    except UploadGone as error:
        messages.error(request, error.full_message)
        return HttpResponseRedirect(request.path)
    return _upload(page, request)


def _upload(page: Page, request: HttpRequest) -> HttpResponse:
    submitted = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if submitted else UploadForm()
    if submitted and form.is_valid():
        try:
            return _report(page, request, uploads.store(form.cleaned_data["file"]))
        except TransferError as error:
            form.add_error(None, error.full_message)
    return show(page, request, TITLE, form, text=UPLOAD_TEXT)


def _report(page: Page, request: HttpRequest, upload: Upload) -> HttpResponse:
    """Show how a file would be ingested, or what is missing in a file that a mapping can explain.

    Raises the error of other files, and removes them.
    """
    try:
        report = "\n".join(uploads.report(upload))
    except TransferError as error:
        if upload.mapping or uploads.mapping_of(upload):
            return _unknown(page, request, replace(upload, mapping=""), error)
        uploads.remove(upload)
        raise
    form = ConfirmForm(initial={"upload": upload.token})
    return show(page, request, TITLE, form, text=CONFIRM_TEXT, report=report)


def _unknown(
    page: Page, request: HttpRequest, upload: Upload, error: TransferError
) -> HttpResponse:
    """Show what is wrong, offer a mapping file with guesses, and a field for the corrected one."""
    form = ConfirmForm({"upload": upload.token, "kind": WarehouseJob.Kind.APPEND})
    form.add_error(None, error.full_message)
    address = f"?{urlencode({'mapping': upload.token})}"
    return show(page, request, TITLE, form, text=UNKNOWN_TEXT, mapping=address)


def _mapping(upload: Upload) -> HttpResponse:
    """Respond with a mapping file to correct."""
    name = get_valid_filename(f"{upload.name}.mapping.toml")
    headers = {"Content-Disposition": content_disposition_header(True, name)}
    return HttpResponse(uploads.mapping_of(upload), "application/toml", headers=headers)


def _confirm(page: Page, request: HttpRequest, upload: Upload) -> HttpResponse:
    """Start the job, unless the form has a mapping file: then show the new report."""
    form = ConfirmForm(request.POST, request.FILES)
    if form.is_valid():
        mapping, kind = form.cleaned_data["columns"], form.cleaned_data["kind"]
        try:
            if mapping:
                return _report(page, request, replace(upload, mapping=mapping))
            uploads.report(upload)
            tasks.start_job(kind, request.user.get_username(), upload)
            return done(page, request, f"{upload.name} will be ingested.")
        except BadInput as error:
            return _unknown(page, request, upload, error)
        except TransferError as error:
            form.add_error(None, error.full_message)
    return show(page, request, TITLE, form, text=CONFIRM_TEXT)
