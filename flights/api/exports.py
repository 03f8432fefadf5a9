"""The exports API: request an export, follow its progress, download its file."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db.models.functions import Now
from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import claims, tables, tasks
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery, Gone, UnknownTable
from flights.exports import download, folder, presentation
from flights.exports.access import KeyAuthentication, MayExport, may_see, requester
from flights.exports.formats import FORMATS
from flights.exports.renderers import FILES
from flights.mirror import MirroredTable
from flights.models import Export
from flights.web import long_poll
from flights.web.problems import problems
from flights.web.renderers import JSON, Browsable

from .schema import files

EXAMPLE = '{"table": "...", "query": "City=Boston, MA&columns=City", "format": "csv"}'
PAGE_SIZE = 100  # exports in a response
TIMED = Export.objects.annotate(now=Now())  # the time of PostgreSQL's clock, by which they expire


@extend_schema_serializer(component_name="Export")
class ExportSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(Export.Status.values)
    table = serializers.CharField()
    version = serializers.CharField(help_text="The version that is read: table/number.")
    query = serializers.CharField(help_text="Parameters of the query API.")
    format = serializers.CharField()
    asked_at = serializers.DateTimeField()
    rows_done = serializers.IntegerField()
    rows_total = serializers.IntegerField(allow_null=True, help_text="Null until they are counted.")
    bytes = serializers.IntegerField()
    rows_per_second = serializers.IntegerField(required=False, help_text="While it runs.")
    seconds_left = serializers.IntegerField(
        required=False, allow_null=True, help_text="While it runs: an estimate."
    )
    filename = serializers.CharField(required=False, help_text="When it is done.")
    digest = serializers.CharField(required=False, help_text="Repr-Digest of the file (RFC 9530).")
    url = serializers.CharField(required=False, help_text="Download link, signed.")
    expires_at = serializers.DateTimeField(required=False, help_text="When the link expires.")
    error = serializers.CharField(required=False, help_text="Why the last attempt failed.")


class ExportLimits(serializers.Serializer[Any]):
    waiting = serializers.IntegerField(help_text="Exports of one user or key that are not done.")
    at_once = serializers.IntegerField(help_text="Exports that run at the same time.")
    kept_hours = serializers.IntegerField(help_text="Hours until a file expires.")
    bytes_of_all = serializers.IntegerField(help_text="Bytes of all files together.")
    listed = serializers.IntegerField(help_text="Exports in one response.")


class ExportList(serializers.Serializer[Any]):
    limits = ExportLimits()
    results = ExportSerializer(many=True)


class ExportView(APIView):
    """Base of the views for users and keys that may export: the public may not fill the disk."""

    authentication_classes = [KeyAuthentication, *AUTHENTICATION]
    permission_classes = [MayExport]

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        """Forbid caching: a cache that ignores `X-API-Key` would show exports to others."""
        response: Response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class Exports(ExportView):
    """List your last exports; POST to request one."""

    @extend_schema(
        operation_id="exports",
        tags=["Exports"],
        responses={200: ExportList, **problems(401, 403, 406)},
    )
    def get(self, request: Request) -> Response:
        """Newest first, with the limits on exports."""
        exports = requester(request).exports().annotate(now=Now())[:PAGE_SIZE]
        page = {
            "limits": {**presentation.limits(), "listed": PAGE_SIZE},
            "results": [presentation.describe(export, export.now) for export in exports],
        }
        return Response(ExportList(page).data)

    @extend_schema(
        operation_id="ask_for_export",
        tags=["Exports"],
        request=inline_serializer(
            "AskForExport",
            {
                "table": serializers.ChoiceField(tables.NAMES),
                "query": serializers.CharField(required=False),
                "format": serializers.ChoiceField(list(FORMATS)),
            },
        ),
        responses={
            **dict.fromkeys((200, 202), ExportSerializer),
            **problems(400, 401, 403, 406, 413, 415, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Requests for the same file share one export, whoever sends them."""
        model, query, format_ = _read(request.data)
        export = tasks.start(model, query, format_, requester(request))
        status = 202 if export.active else 200
        location = reverse("export", args=[export.pk])
        return Response(_data(export, claims.now()), status, headers={"Location": location})


class OneExport(ExportView):
    """The progress of one export. `?wait=30` responds when it has ended."""

    @extend_schema(
        operation_id="export",
        tags=["Exports"],
        parameters=[OpenApiParameter("wait", int, description="Seconds to wait for its end.")],
        responses={200: ExportSerializer, **problems(400, 401, 403, 404, 406)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        export: Any = get_object_or_404(TIMED, pk=pk)
        if not may_see(request, export):
            raise Http404
        look = partial(get_object_or_404, TIMED, pk=pk)
        export = long_poll.wait(request, look, long_poll.seconds(request))
        return Response(_data(export, export.now), headers={long_poll.HEADER: long_poll.LIMIT})


class ExportFile(APIView):
    """Download an export's file from the folder of exports. The signed link is the permission."""

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [JSON, Browsable, *FILES]

    @extend_schema(
        operation_id="export_file",
        tags=["Exports"],
        parameters=[OpenApiParameter("expires", int), OpenApiParameter("signature")],
        responses={
            **files(200, 206),
            304: OpenApiResponse(description="Not modified, by ETag or Last-Modified."),
            **problems(403, 404, 410, 412, 416, 503),
        },
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        expires = request.query_params.get("expires", "")
        if not folder.is_signed(pk, expires, request.query_params.get("signature", "")):
            raise PermissionDenied("This link is incomplete or changed. Copy all of it.")
        export = TIMED.filter(pk=pk, status=Export.Status.DONE).first()
        if export is None or int(expires) < export.now.timestamp():
            raise Gone("This link has expired. Request the export again.")
        return download.response(export, request)


def _data(export: Export, now: datetime) -> Any:
    return ExportSerializer(presentation.describe(export, now)).data


def _read(body: Any) -> tuple[type[MirroredTable], str, str]:
    """The table, query and format that the body names."""
    params = body if isinstance(body, dict) else {}
    table, query, format_ = (params.get(name, "") for name in ("table", "query", "format"))
    if not params or not all(isinstance(value, str) for value in (table, query, format_)):
        raise BadQuery(f"Give {EXAMPLE}.", tables.NAMES)
    try:
        return tables.by_name(table), query, format_.lower()
    except UnknownTable as error:  # 404 would mean that this URL does not exist
        raise BadQuery(str(error), tables.NAMES) from None
