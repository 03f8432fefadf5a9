"""Transfers as clients of the first AirSense ask for them."""

from typing import Any

from django.db.models import Count, Max
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables
from flights.access.throttles import Throttle
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery
from flights.errors.responses import legacy_error
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.web import long_poll
from flights.web.openapi import Texts
from flights.web.problems import first_errors, problems

from . import tasks
from .api import MayTransfer
from .exceptions import TransferError
from .models import Transfer

TRANSFERRED = "Table transferred successfully"


class ServiceTransferRow(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    tablename = serializers.CharField()
    last_transfer_date = serializers.CharField(help_text="Empty where there was none.")
    transfer_count = serializers.IntegerField()


LISTED = inline_serializer(
    "ServiceTransfers",
    {
        "data": ServiceTransferRow(many=True),
        "columns": Texts(),
        "count": serializers.IntegerField(help_text="Of the rows."),
        "success": serializers.BooleanField(),
    },
)


class TransferOutcome(serializers.Serializer[Any]):
    """`status`: "Table transferred successfully", "failed", or that of a transfer that goes on."""

    status = serializers.CharField()
    table_name = serializers.CharField(required=False)
    rows_transferred = serializers.IntegerField(required=False, help_text="Rows of the table.")
    unchanged = serializers.BooleanField(required=False)
    error = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)
    advice = serializers.CharField(required=False)


class ServiceTransfer(APIView):
    """One row a table: when it was last transferred, and how often."""

    first_shape = True
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [Throttle]

    @extend_schema(
        operation_id="service_transfer",
        tags=["First AirSense"],
        responses={
            200: LISTED,
            **first_errors(401, 403, 404, 406, 429, 503),
        },
    )
    def get(self, request: Request) -> Response:
        done = Transfer.objects.filter(status=Transfer.Status.SUCCEEDED).order_by()
        counted = {
            table: {"last_transfer_date": last, "transfer_count": count}
            for table, last, count in done.values_list("table").annotate(
                last=Max("finished_at"), count=Count("pk")
            )
        }
        never = {"last_transfer_date": "", "transfer_count": 0}
        rows = [
            {"id": number, "tablename": name, **counted.get(name, never)}
            for number, name in enumerate(tables.NAMES, start=1)
        ]
        columns = list(ServiceTransferRow().fields)
        return Response({"data": rows, "columns": columns, "count": len(rows), "success": True})


class TransferTable(APIView):
    """Transfer one table, named in the address or in the body, and answer when that is done."""

    first_shape = True
    authentication_classes = AUTHENTICATION
    permission_classes = [MayTransfer]

    @extend_schema(
        operation_id="transfer_table",
        tags=["First AirSense"],
        parameters=[OpenApiParameter("table_name", enum=tables.NAMES)],
        request=inline_serializer(
            "TransferTableRequest", {"table_name": serializers.CharField(required=False)}
        ),
        responses={
            **dict.fromkeys((200, 202, 500), TransferOutcome),
            **first_errors(400, 401, 403, 404, 406, 415, 429),
            **problems(400, 413),
        },
    )
    def post(self, request: Request) -> Response:
        model = _table(request)
        try:
            (pk,) = tasks.start([model], asked_by=request.user.get_username())
        except TransferError as error:
            return _failed(str(error), advice=error.advice)
        transfer = long_poll.wait(request, lambda: Transfer.objects.get(pk=pk))
        response = _told(transfer)
        response[long_poll.HEADER] = long_poll.LIMIT
        return response


def _table(request: Request) -> type[MirroredTable]:
    body = request.data if isinstance(request.data, dict) else {}
    named = {str(n) for n in (request.query_params.get("table_name"), body.get("table_name")) if n}
    if len(named) != 1:
        raise BadQuery("Name one table: table_name, in the address or in the body.", tables.NAMES)
    (name,) = named
    return tables.by_name(name)


def _failed(text: str, **more: Any) -> Response:
    """Clients of the first AirSense know one status of all failures, and read `detail`."""
    said = {"status": "failed", **legacy_error(text), **more}
    return Response(said, status.HTTP_500_INTERNAL_SERVER_ERROR)


def _told(transfer: Transfer) -> Response:
    outcome: dict[str, Any] = {"table_name": transfer.table}
    match transfer.status:
        case Transfer.Status.SUCCEEDED | Transfer.Status.UNCHANGED:
            if transfer.status == Transfer.Status.UNCHANGED:
                outcome["unchanged"] = True
            return Response({"status": TRANSFERRED, **outcome, "rows_transferred": _rows(transfer)})
        case Transfer.Status.FAILED | Transfer.Status.CANCELLED:
            text = transfer.error or f"{transfer} was {transfer.status}."
            return _failed(text, **outcome, rows_transferred=0, advice=transfer.advice)
    outcome["rows_transferred"] = transfer.rows_done
    return Response({"status": str(transfer.status), **outcome}, status.HTTP_202_ACCEPTED)


def _rows(transfer: Transfer) -> int:
    """Rows of the whole table: a transfer can add some to a version, or find it unchanged."""
    current = TableVersion.objects.filter(published__table=transfer.table)
    return (transfer.version or current.get()).rows
