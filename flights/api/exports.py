"""Exports over HTTP: ask for one, see how far it is, download it."""

from functools import partial
from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables, tasks
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery, Gone, UnknownTable
from flights.exports import download, folder, presentation
from flights.exports.access import KeyAuthentication, MayExport, asker, is_seen_by
from flights.exports.formats import FORMATS
from flights.exports.renderers import FILES
from flights.models import Export
from flights.web import long_poll
from flights.web.problems import problems
from flights.web.renderers import JSON, Browsable

from .schema import files

FORM = '{"table": "...", "query": "City=Boston, MA&columns=City", "format": "csv"}'
LISTED = 100  # exports in an answer


class ForExporters(APIView):
    """The public is anonymous, and a disk is finite."""

    authentication_classes = [KeyAuthentication, *AUTHENTICATION]
    permission_classes = [MayExport]

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        """What is one asker's own is for no cache: not all know `X-API-Key`."""
        response: Response = super().finalize_response(*args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class Exports(ForExporters):
    """One's last exports; a POST asks for one."""

    @extend_schema(
        operation_id="exports",
        tags=["Exports"],
        responses={200: OpenApiTypes.OBJECT, **problems(401, 403, 406)},
    )
    def get(self, request: Request) -> Response:
        """Newest first, and the limits that hold."""
        results = [presentation.describe(export) for export in asker(request).exports()[:LISTED]]
        return Response({"limits": {**presentation.limits(), "listed": LISTED}, "results": results})

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
            **dict.fromkeys((200, 202), OpenApiTypes.OBJECT),
            **problems(400, 401, 403, 406, 413, 415, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """The same of the same version is one export, whoever asks."""
        table, query, format_ = _asked(request.data)
        export = tasks.start(table, query, format_, asker(request))
        status = 202 if export.active else 200
        address = reverse("export", args=[export.pk])
        return Response(presentation.describe(export), status, headers={"Location": address})


class OneExport(ForExporters):
    """How far an export is; `?wait=30` answers as soon as it has ended."""

    @extend_schema(
        operation_id="export",
        tags=["Exports"],
        parameters=[OpenApiParameter("wait", int, description="Seconds to wait for its end.")],
        responses={200: OpenApiTypes.OBJECT, **problems(400, 401, 403, 404, 406)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        export = get_object_or_404(Export, pk=pk)
        if not is_seen_by(request, export):
            raise Http404
        look = partial(get_object_or_404, Export, pk=pk)
        export = long_poll.wait(request, look, long_poll.seconds(request))
        return Response(presentation.describe(export), headers={long_poll.HEADER: long_poll.LIMIT})


class ExportFile(APIView):
    """The file of an export in a folder. Its signed link is the right to read it, until it ends."""

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [JSON, Browsable, *FILES]

    @extend_schema(
        operation_id="export_file",
        tags=["Exports"],
        parameters=[OpenApiParameter("expires", int), OpenApiParameter("signature")],
        responses={
            **files(200, 206),
            304: OpenApiResponse(description="The client has it: ETag or Last-Modified says so."),
            **problems(403, 404, 410, 412, 416, 503),
        },
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        expires = request.query_params.get("expires", "")
        if not folder.is_signed(pk, expires, request.query_params.get("signature", "")):
            raise PermissionDenied("This link is not as it was made. Copy all of it.")
        export = Export.objects.filter(pk=pk, status=Export.Status.DONE).first()
        if export is None or int(expires) < timezone.now().timestamp():
            raise Gone("This link has expired. Ask for the export again.")
        return download.response(export, request)


def _asked(body: Any) -> tuple[Any, str, str]:
    known = body if isinstance(body, dict) else {}
    given = [known.get(name, "") for name in ("table", "query", "format")]
    if not known or not all(isinstance(value, str) for value in given):
        raise BadQuery(f"Give {FORM}.", tables.NAMES)
    try:
        return tables.by_name(given[0]), given[1], given[2].lower()
    except UnknownTable as error:
        raise BadQuery(str(error), tables.NAMES) from None
