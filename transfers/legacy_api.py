"""The transfer URLs of the first AirSense, for its clients."""

from typing import Any

from django.db.models import Count, Max
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery
from flights.errors.responses import legacy_error
from flights.mirror import MirroredTable
from flights.models import TableVersion
from flights.web import long_poll
from flights.web.open_view import OpenView
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
    last_transfer_date = serializers.CharField(help_text="Empty if the table has none.")
    transfer_count = serializers.IntegerField()


class ServiceTransfers(serializers.Serializer[Any]):
    data = ServiceTransferRow(many=True)  # type: ignore[assignment]  # a field, not the result
    columns = Texts()
    count = serializers.IntegerField(help_text="Number of rows.")
    success = serializers.BooleanField()


class TransferOutcome(serializers.Serializer[Any]):
    """`status`: "Table transferred successfully", "failed", or that of an active transfer."""

    status = serializers.CharField()
    error = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)
    table_name = serializers.CharField(required=False)
    unchanged = serializers.BooleanField(required=False)
    rows_transferred = serializers.IntegerField(required=False, help_text="Rows of the table.")
    advice = serializers.CharField(required=False)


class ServiceTransfer(OpenView):
    """List each table with the time and number of its successful transfers."""

    first_shape = True

    @extend_schema(
        operation_id="service_transfer",
        tags=["First AirSense"],
        responses={
            200: ServiceTransfers,
            **first_errors(401, 403, 404, 406, 429, 503),
        },
    )
    def get(self, request: Request) -> Response:
        succeeded = Transfer.objects.filter(status=Transfer.Status.SUCCEEDED).order_by()
        counts = {
            table: {"last_transfer_date": last and last.isoformat(), "transfer_count": count}
            for table, last, count in succeeded.values_list("table").annotate(
                last=Max("finished_at"), count=Count("pk")
            )
        }
        never = {"last_transfer_date": "", "transfer_count": 0}
        rows = [
            {"id": number, "tablename": name, **counts.get(name, never)}
            for number, name in enumerate(tables.NAMES, start=1)
        ]
        columns = list(ServiceTransferRow().fields)
        payload = {"data": rows, "columns": columns, "count": len(rows), "success": True}
        return Response(ServiceTransfers(payload).data)


class TransferTable(APIView):
    """Transfer the table named in the URL or the body; respond when the transfer has ended."""

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
            return _failure(str(error), advice=error.advice)
        transfer = long_poll.wait(request, lambda: Transfer.objects.get(pk=pk))
        response = _outcome(transfer)
        response[long_poll.HEADER] = long_poll.LIMIT
        return response


def _table(request: Request) -> type[MirroredTable]:
    body = request.data if isinstance(request.data, dict) else {}
    values = (request.query_params.get("table_name"), body.get("table_name"))
    names = {str(value) for value in values if value}
    if len(names) != 1:
        raise BadQuery("Name one table: table_name, in the address or in the body.", tables.NAMES)
    (name,) = names
    return tables.by_name(name)


def _outcome(transfer: Transfer) -> Response:
    outcome: dict[str, Any] = {"table_name": transfer.table}
    match transfer.status:
        case Transfer.Status.SUCCEEDED | Transfer.Status.UNCHANGED:
            if transfer.status == Transfer.Status.UNCHANGED:
                outcome["unchanged"] = True
            return _respond(
                status.HTTP_200_OK, TRANSFERRED, **outcome, rows_transferred=_rows(transfer)
            )
        case Transfer.Status.FAILED | Transfer.Status.CANCELLED:
            message = transfer.error or f"{transfer} was {transfer.status}."
            return _failure(message, **outcome, rows_transferred=0, advice=transfer.advice)
    outcome["rows_transferred"] = transfer.rows_done
    return _respond(status.HTTP_202_ACCEPTED, transfer.status, **outcome)


def _failure(message: str, **fields: Any) -> Response:
    """Any failure: clients of the first AirSense expect status 500 and read `detail`."""
    fields = {**legacy_error(message), **fields}
    return _respond(status.HTTP_500_INTERNAL_SERVER_ERROR, "failed", **fields)


def _respond(code: int, outcome: str, **fields: Any) -> Response:
    return Response(TransferOutcome({"status": outcome, **fields}).data, code)


def _rows(transfer: Transfer) -> int:
    """Rows of the whole table: a transfer may add only some of them, or find it unchanged."""
    current = TableVersion.objects.filter(published__table=transfer.table)
    return (transfer.version or current.get()).rows
