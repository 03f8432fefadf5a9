"""Transfers as clients of the first AirSense ask for them."""

from typing import Any

from django.db.models import Count, Max
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables, waiting
from flights.errors import BadQuery, UnknownTable
from flights.mirror import MirroredTable
from flights.problems import first_errors, problems
from flights.throttles import Throttle
from flights.tokens import AUTHENTICATION

from . import tasks
from .api import MayTransfer
from .exceptions import AlreadyRunning, TransferError
from .models import Transfer


class ServiceTransferRow(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    tablename = serializers.CharField()
    last_transfer_date = serializers.DateTimeField(allow_null=True)
    transfer_count = serializers.IntegerField()


class TransferOutcome(serializers.Serializer[Any]):
    """`success`, `failed`, or where the transfer goes on its status."""

    status = serializers.CharField()
    table_name = serializers.CharField(required=False)
    rows_transferred = serializers.IntegerField(required=False)
    unchanged = serializers.BooleanField(required=False)
    error = serializers.CharField(required=False)
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
            200: ServiceTransferRow(many=True),
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
        never = {"last_transfer_date": None, "transfer_count": 0}
        rows = [
            {"id": number, "tablename": name, **counted.get(name, never)}
            for number, name in enumerate(tables.NAMES, start=1)
        ]
        return Response(rows)


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
            **dict.fromkeys((200, 202, 409, 502, 503), TransferOutcome),
            **first_errors(400, 401, 403, 404, 406, 415, 429),
            **problems(413),
        },
    )
    def post(self, request: Request) -> Response:
        model = _table(request)
        try:
            (pk,) = tasks.start([model], asked_by=request.user.get_username())
        except TransferError as error:
            return _refused(error)
        transfer = waiting.ended(request, lambda: Transfer.objects.get(pk=pk))
        response = _told(transfer)
        response[waiting.HEADER] = waiting.LIMIT
        return response


def _table(request: Request) -> type[MirroredTable]:
    body = request.data if isinstance(request.data, dict) else {}
    named = {str(n) for n in (request.query_params.get("table_name"), body.get("table_name")) if n}
    if len(named) != 1:
        raise BadQuery("Name one table: table_name, in the address or in the body.", tables.NAMES)
    (name,) = named
    try:
        return tables.by_name(name)
    except tables.UnknownName:
        raise UnknownTable(f"There is no table {name[:80]!r}.", tables.NAMES) from None


def _refused(error: TransferError) -> Response:
    busy = isinstance(error, AlreadyRunning)
    code = status.HTTP_409_CONFLICT if busy else status.HTTP_503_SERVICE_UNAVAILABLE
    return Response({"status": "failed", "error": str(error), "advice": error.advice}, code)


def _told(transfer: Transfer) -> Response:
    outcome = {"table_name": transfer.table, "rows_transferred": transfer.rows_done}
    match transfer.status:
        case Transfer.Status.SUCCEEDED:
            return Response({"status": "success", **outcome})
        case Transfer.Status.UNCHANGED:
            return Response({"status": "success", **outcome, "unchanged": True})
        case Transfer.Status.FAILED:
            said = {"status": "failed", **outcome, "rows_transferred": 0, "error": transfer.error}
            return Response({**said, "advice": transfer.advice}, status.HTTP_502_BAD_GATEWAY)
    return Response({"status": str(transfer.status), **outcome}, status.HTTP_202_ACCEPTED)
