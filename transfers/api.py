"""The transfers API: list, start, watch and cancel transfers, with permission."""

from functools import partial
from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    inline_serializer,
)
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery, ClientError, UnknownTable
from flights.mirror import MirroredTable
from flights.query.params import whole_number
from flights.web import long_poll
from flights.web.openapi import Texts
from flights.web.params import single_values
from flights.web.problems import problems

from . import services, tasks
from .exceptions import AlreadyRunning, TransferError
from .models import Transfer

HIDDEN = {"claim", "request_key", "later_request_keys", "sources"}
PAGE_SIZE = 100  # transfers in a response
FILTERS = {"table": tables.NAMES, "status": Transfer.Status.values}


class MaySee(BasePermission):
    message = "This user may not see transfers."

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS and request.user.has_perm("transfers.view_transfer")


class MayTransfer(BasePermission):
    message = "This user may not start transfers."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.has_perm("transfers.start_transfer"))


class Refused(ClientError):
    """The request is valid, but cannot be carried out now; `advice` says what to do."""

    def __init__(self, message: str, status_code: int, **members: str) -> None:
        super().__init__(message, **members)
        self.status_code = status_code


@extend_schema_serializer(component_name="Transfer")
class TransferSerializer(serializers.ModelSerializer[Transfer]):
    version = serializers.CharField(allow_null=True, help_text="What it made: table/number.")
    rows_per_second = serializers.IntegerField(allow_null=True)
    bytes_per_second = serializers.IntegerField(allow_null=True)
    checks = serializers.ListField(
        child=serializers.DictField(),
        allow_null=True,
        help_text="Results of the quality checks; null until they have run.",
    )
    override = serializers.DictField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="Who publishes it despite failed checks, when and why.",
    )

    class Meta:
        model = Transfer
        fields = [
            *(field.name for field in Transfer._meta.concrete_fields if field.name not in HIDDEN),
            *("rows_per_second", "bytes_per_second"),
        ]
        read_only_fields = fields


class TransferList(serializers.Serializer[Any]):
    limit = serializers.IntegerField(help_text="Transfers in one response.")
    results = TransferSerializer(many=True)


class Transfers(APIView):
    """List transfers; POST {"tables": [...], "force": false} to start some."""

    authentication_classes = AUTHENTICATION
    permission_classes = [MaySee | MayTransfer]

    @extend_schema(
        operation_id="transfers",
        tags=["Transfers"],
        parameters=[
            OpenApiParameter("table", enum=tables.NAMES, description="Transfers of this table."),
            OpenApiParameter("status", enum=Transfer.Status.values),
            OpenApiParameter("before", int, description="Transfers with a lower id."),
        ],
        responses={200: TransferList, **problems(400, 401, 403, 406, 429)},
    )
    def get(self, request: Request) -> Response:
        """Newest first. Filter by `table` or `status`; `before` an id is the next page."""
        transfers, params = Transfer.objects.all(), single_values(request.query_params)
        for name, allowed in FILTERS.items():
            if value := params.get(name):
                if value not in allowed:
                    raise BadQuery(f"There is no {name} {value[:80]!r}.", allowed)
                transfers = transfers.filter(**{name: value})
        if before := whole_number(params, "before", 0):
            transfers = transfers.filter(pk__lt=before)
        page = {"limit": PAGE_SIZE, "results": transfers.select_related("version")[:PAGE_SIZE]}
        return Response(TransferList(page).data)

    @extend_schema(
        operation_id="start_transfers",
        tags=["Transfers"],
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                location="header",
                description="A repeated request with this key returns the same transfers.",
            )
        ],
        request=inline_serializer(
            "StartTransfers",
            {
                "tables": Texts(required=False),
                "force": serializers.BooleanField(required=False),
            },
        ),
        examples=[OpenApiExample("One", {"tables": ["delays_by_day"]}, request_only=True)],
        responses={
            202: TransferSerializer(many=True),
            **problems(400, 401, 403, 406, 409, 413, 415, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        models, force = _read(request.data)
        key = request.headers.get("Idempotency-Key", "")[:200]
        try:
            pks = tasks.start(models, request.user.get_username(), forced=force, key=key)
        except AlreadyRunning as error:
            raise Refused(str(error), 409, advice=error.advice) from None
        except TransferError as error:
            raise Refused(str(error), 503, advice=error.advice) from None
        started = Transfer.objects.filter(pk__in=pks).order_by("pk")
        return Response(TransferSerializer(started, many=True).data, status.HTTP_202_ACCEPTED)


class OneTransfer(APIView):
    """Read one transfer, or DELETE to cancel it. `?wait=30` responds when it has ended."""

    authentication_classes = AUTHENTICATION
    permission_classes = [MaySee | MayTransfer]

    @extend_schema(
        operation_id="transfer",
        tags=["Transfers"],
        parameters=[OpenApiParameter("wait", int, description="Seconds to wait for its end.")],
        responses={200: TransferSerializer, **problems(400, 401, 403, 404, 406, 429)},
    )
    def get(self, request: Request, pk: int) -> Response:
        load = partial(get_object_or_404, Transfer, pk=pk)
        transfer = long_poll.wait(request, load, long_poll.seconds(request))
        data = TransferSerializer(transfer).data
        return Response(data, headers={long_poll.HEADER: long_poll.LIMIT})

    @extend_schema(
        operation_id="cancel_transfer",
        tags=["Transfers"],
        responses={200: TransferSerializer, **problems(401, 403, 404, 406, 409, 429)},
    )
    def delete(self, request: Request, pk: int) -> Response:
        transfer = get_object_or_404(Transfer, pk=pk)
        if not services.cancel(transfer, by=request.user.get_username()):
            raise Refused(f"{transfer} has ended already: {transfer.status}.", 409)
        transfer.refresh_from_db()
        return Response(TransferSerializer(transfer).data)


def _read(body: Any) -> tuple[list[type[MirroredTable]], bool]:
    """The tables to transfer, by default all, and whether to transfer unchanged tables too."""
    params = body if isinstance(body, dict) else {"body": body}
    names, force = params.get("tables", tables.NAMES), params.get("force", False)
    unknown = params.keys() - {"tables", "force"}
    if unknown or not isinstance(names, list) or not isinstance(force, bool):
        raise BadQuery('Send {"tables": ["..."], "force": false}.', tables.NAMES)
    try:
        return tables.by_names(map(str, names)), force
    except UnknownTable as error:  # 404 would mean that this URL does not exist
        raise BadQuery(str(error), tables.NAMES) from None
