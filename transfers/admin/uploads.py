"""The page that ingests a file: upload it, read how it would be ingested, and confirm."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import content_disposition_header
from django.utils.text import get_valid_filename

from transfers import tasks
from transfers.exceptions import BadInput, TransferError, UploadGone
from transfers.ingest import guesses
from transfers.warehouse_jobs import upload_plan, uploads
from transfers.warehouse_jobs.uploads import Upload

from .confirmation import done, show
from .upload_forms import KINDS, TREATMENTS, ConfirmForm, UploadForm

type Page = admin.ModelAdmin[Any]
TITLE = "Ingest a file"
UPLOAD_TEXT = "First you see how the file would be ingested. Nothing is ingested until you confirm."
CONFIRM_TEXT = "If any record is invalid, none is added."
MAPPING_TEXT = "Download a mapping file with guesses, and correct it."
UNKNOWN_TEXT = f"Upload a mapping file that says what the columns mean. {MAPPING_TEXT}"
FIRST_CHOICES = {"kind": KINDS[0][0], "repeated": TREATMENTS[0][0]}


def ingest(page: Page, request: HttpRequest) -> HttpResponse:
    """Show the page of the request's step: upload, report and confirmation, or mapping file."""
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
            return _report(page, request, uploads.store(form.cleaned_data["file"]), FIRST_CHOICES)
        except TransferError as error:
            form.add_error(None, error.full_message)
    return show(page, request, TITLE, form, text=UPLOAD_TEXT)


def _report(
    page: Page, request: HttpRequest, upload: Upload, choices: dict[str, str]
) -> HttpResponse:
    """Show how a file would be ingested, or its error if a mapping file can correct that.

    For any other error, remove the upload and raise the error.
    """
    try:
        report = "\n".join(upload_plan.report(upload))
    except TransferError as error:
        if upload.mapping or upload_plan.mapping_of(upload):
            return _unknown(page, request, replace(upload, mapping=""), error, choices)
        uploads.remove(upload)
        raise
    form = ConfirmForm(initial={"upload": upload.token, **choices})
    return show(page, request, TITLE, form, text=CONFIRM_TEXT, report=report)


def _unknown(
    page: Page, request: HttpRequest, upload: Upload, error: TransferError, choices: dict[str, str]
) -> HttpResponse:
    """Show the error, a link to a mapping file with guesses, and a field for the corrected one."""
    form = ConfirmForm({"upload": upload.token, **choices})
    form.add_error(None, error.full_message.replace(guesses.EXPLAIN, MAPPING_TEXT))
    address = f"?{urlencode({'mapping': upload.token})}"
    return show(page, request, TITLE, form, text=UNKNOWN_TEXT, mapping=address)


def _mapping(upload: Upload) -> HttpResponse:
    """Respond with a mapping file to correct."""
    name = get_valid_filename(f"{upload.name}.mapping.toml")
    headers = {"Content-Disposition": content_disposition_header(True, name)}
    return HttpResponse(upload_plan.mapping_of(upload), "application/toml", headers=headers)


def _confirm(page: Page, request: HttpRequest, upload: Upload) -> HttpResponse:
    """Start the job, unless the form has a mapping file or a list: then show the new report."""
    form = ConfirmForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            if form.lists or form.cleaned_data["columns"]:
                return _report(page, request, _with_files(upload, form), form.choices)
            upload_plan.report(upload)
            _start(request, upload, **form.choices)
            return done(page, request, f"{upload.name} will be ingested.")
        except BadInput as error:
            return _unknown(page, request, upload, error, form.choices)
        except TransferError as error:
            form.add_error(None, error.full_message)
    return show(page, request, TITLE, form, text=CONFIRM_TEXT)


def _with_files(upload: Upload, form: ConfirmForm) -> Upload:
    """Return the upload with the mapping file and the lists of a form."""
    for kind, file in form.lists.items():
        upload = uploads.add_list(upload, kind, file)
    return replace(upload, mapping=form.cleaned_data["columns"] or upload.mapping)


def _start(request: HttpRequest, upload: Upload, kind: str, repeated: Any) -> None:
    tasks.start_job(kind, request.user.get_username(), upload, repeated=repeated)
