"""The API of previews: what transfers would change, and what the quality checks find."""

from functools import partial
from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    inline_serializer,
)
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery, UnknownTable
from flights.web import long_poll
from flights.web.openapi import Texts
from flights.web.problems import problems

from . import tasks
from .api import MaySee, MayTransfer, Refused
from .exceptions import TransferError
from .models import WarehouseJob

PREVIEWS = WarehouseJob.objects.filter(kind=WarehouseJob.Kind.PREVIEW)


class RowChanges(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    changed = serializers.IntegerField()
    examples = serializers.ListField(
        child=serializers.CharField(), help_text="Keys of some removed rows."
    )


class TablePreview(serializers.Serializer[Any]):
    table = serializers.CharField()
    source_version = serializers.CharField(help_text="The version of the warehouse's table.")
    accepted = Texts(help_text="Differences of columns that a transfer accepts.")
    refused = Texts(help_text="Differences of columns that it refuses.")
    lost = Texts(help_text="Columns and types that the public API would lose.")
    rows = RowChanges(allow_null=True, help_text="Null if columns are refused.")
    checks = serializers.ListField(
        child=serializers.DictField(), help_text="Results of the quality checks at this version."
    )
    is_refused = serializers.BooleanField(help_text="Whether a transfer would publish nothing.")


@extend_schema_serializer(component_name="Preview")
class PreviewSerializer(serializers.ModelSerializer[WarehouseJob]):
    tables = serializers.SerializerMethodField()

    class Meta:
        model = WarehouseJob
        fields = ["id", "status", "asked_by", "asked_at", "started_at", "finished_at"]
        fields += ["error", "advice", "tables"]
        read_only_fields = fields

    @extend_schema_field(TablePreview(many=True))
    def get_tables(self, job: WarehouseJob) -> list[dict[str, Any]]:
        return [step["preview"] for step in job.steps if "preview" in step]


class Previews(APIView):
    """POST {"tables": [...]} to preview transfers; without tables, of all."""

    authentication_classes = AUTHENTICATION
    permission_classes = [MayTransfer]

    @extend_schema(
        operation_id="start_preview",
        tags=["Transfers"],
        request=inline_serializer("StartPreview", {"tables": Texts(required=False)}),
        examples=[OpenApiExample("One", {"tables": ["delays_by_day"]}, request_only=True)],
        responses={202: PreviewSerializer, **problems(400, 401, 403, 406, 413, 415, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """A worker compares the tables with what is published, and runs the quality checks."""
        names = _read(request.data)
        try:
            kind, user = WarehouseJob.Kind.PREVIEW, request.user.get_username()
            job = tasks.start_job(kind, user, arguments=names)
        except TransferError as error:
            raise Refused(str(error), 503, advice=error.advice) from None
        return Response(PreviewSerializer(job).data, status.HTTP_202_ACCEPTED)


class OnePreview(APIView):
    """Read one preview. `?wait=30` responds when it has ended."""

    authentication_classes = AUTHENTICATION
    permission_classes = [MaySee | MayTransfer]

    @extend_schema(
        operation_id="preview",
        tags=["Transfers"],
        parameters=[OpenApiParameter("wait", int, description="Seconds to wait for its end.")],
        responses={200: PreviewSerializer, **problems(400, 401, 403, 404, 406, 429)},
    )
    def get(self, request: Request, pk: int) -> Response:
        load = partial(get_object_or_404, PREVIEWS, pk=pk)
        job = long_poll.wait(request, load, long_poll.seconds(request))
        return Response(PreviewSerializer(job).data, headers={long_poll.HEADER: long_poll.LIMIT})


def _read(body: Any) -> list[str]:
    """The names of the tables to preview, by default all."""
    params = body if isinstance(body, dict) else {"body": body}
    names = params.get("tables", tables.NAMES)
    if params.keys() - {"tables"} or not isinstance(names, list):
        raise BadQuery('Send {"tables": ["..."]}.', tables.NAMES)
    try:
        return [model._meta.db_table for model in tables.by_names(map(str, names))]
    except UnknownTable as error:  # 404 would mean that this URL does not exist
        raise BadQuery(str(error), tables.NAMES) from None
