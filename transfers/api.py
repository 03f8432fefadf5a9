"""Transfers over HTTP, for those who may: the list, and one of them."""

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
from rest_framework.exceptions import APIException
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flights import tables
from flights.access.tokens import AUTHENTICATION
from flights.errors import BadQuery, UnknownTable
from flights.mirror import MirroredTable
from flights.query.params import whole_number
from flights.web import long_poll
from flights.web.openapi import Texts
from flights.web.params import once
from flights.web.problems import problems

from . import services, tasks
from .exceptions import AlreadyRunning, TransferError
from .models import Transfer

HIDDEN = {"claim", "request_key"}
LISTED = 100  # transfers in an answer
KNOWN = {"table": tables.NAMES, "status": Transfer.Status.values}


class MaySee(BasePermission):
    message = "This user may not see transfers."

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS and request.user.has_perm("transfers.view_transfer")


class MayTransfer(BasePermission):
    message = "This user may not start transfers."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.has_perm("transfers.start_transfer"))


class Refused(APIException):
    """What cannot be done now, and where there is one the cure."""

    def __init__(self, message: str, status_code: int, **more: str) -> None:
        super().__init__({"error": message, **more})
        self.status_code = status_code


@extend_schema_serializer(component_name="Transfer")
class Shown(serializers.ModelSerializer[Transfer]):
    version = serializers.CharField(allow_null=True, help_text="What it made: table/number.")

    class Meta:
        model = Transfer
        exclude = sorted(HIDDEN)
        read_only_fields = [f.name for f in Transfer._meta.concrete_fields]


class TransferList(serializers.Serializer[Any]):
    limit = serializers.IntegerField()
    results = Shown(many=True)


class Transfers(APIView):
    """The last transfers; a POST of {"tables": [...], "force": false} starts some."""

    authentication_classes = AUTHENTICATION
    permission_classes = [MaySee | MayTransfer]

    @extend_schema(
        operation_id="transfers",
        tags=["Transfers"],
        parameters=[
            OpenApiParameter("table", enum=tables.NAMES, description="Only of this table."),
            OpenApiParameter("status", enum=Transfer.Status.values),
            OpenApiParameter("before", int, description="Only those of a lower id: pages back."),
        ],
        responses={200: TransferList, **problems(400, 401, 403, 406, 429)},
    )
    def get(self, request: Request) -> Response:
        """Newest first; `table`, `status` choose some, `before` (an id) pages back."""
        found, asked = Transfer.objects.all(), once(request.query_params)
        for name, known in KNOWN.items():
            if value := asked.get(name):
                if value not in known:
                    raise BadQuery(f"There is no {name} {value[:80]!r}.", known)
                found = found.filter(**{name: value})
        if before := whole_number(asked, "before", 0):
            found = found.filter(pk__lt=before)
        return Response({"limit": LISTED, "results": [_shown(t) for t in found[:LISTED]]})

    @extend_schema(
        operation_id="start_transfers",
        tags=["Transfers"],
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", location="header", description="Again gets the same transfers."
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
        responses={202: Shown(many=True), **problems(400, 401, 403, 406, 409, 413, 415, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        models, force = _asked(request.data)
        key = request.headers.get("Idempotency-Key", "")[:200]
        try:
            pks = tasks.start(models, request.user.get_username(), forced=force, key=key)
        except AlreadyRunning as error:
            raise Refused(str(error), 409, advice=error.advice) from None
        except TransferError as error:
            raise Refused(str(error), 503, advice=error.advice) from None
        started = Transfer.objects.filter(pk__in=pks).order_by("pk")
        return Response([_shown(t) for t in started], status.HTTP_202_ACCEPTED)


class OneTransfer(APIView):
    """One transfer; `?wait=30` answers as soon as it has ended. DELETE cancels it."""

    authentication_classes = AUTHENTICATION
    permission_classes = [MaySee | MayTransfer]

    @extend_schema(
        operation_id="transfer",
        tags=["Transfers"],
        parameters=[OpenApiParameter("wait", int, description="Seconds to wait for its end.")],
        responses={200: Shown, **problems(400, 401, 403, 404, 406, 429)},
    )
    def get(self, request: Request, pk: int) -> Response:
        look = partial(get_object_or_404, Transfer, pk=pk)
        transfer = long_poll.wait(request, look, long_poll.seconds(request))
        return Response(_shown(transfer), headers={long_poll.HEADER: long_poll.LIMIT})

    @extend_schema(
        operation_id="cancel_transfer",
        tags=["Transfers"],
        responses={200: Shown, **problems(401, 403, 404, 406, 409, 429)},
    )
    def delete(self, request: Request, pk: int) -> Response:
        transfer = get_object_or_404(Transfer, pk=pk)
        if not services.cancel(transfer, by=request.user.get_username()):
            raise Refused(f"{transfer} has ended already: {transfer.status}.", 409)
        transfer.refresh_from_db()
        return Response(_shown(transfer))


def _asked(body: Any) -> tuple[list[type[MirroredTable]], bool]:
    """The tables and whether to force them; all tables where the body names none."""
    named, force = (
        (body.get("tables", tables.NAMES), body.get("force", False))
        if isinstance(body, dict)
        else (None, False)
    )
    unknown = set(body) - {"tables", "force"} if isinstance(body, dict) else set()
    if unknown or not isinstance(named, list) or not isinstance(force, bool):
        raise BadQuery('Give {"tables": ["..."], "force": false}.', tables.NAMES)
    try:
        return tables.by_names(map(str, named)), force
    except UnknownTable as error:
        raise BadQuery(str(error), tables.NAMES) from None


def _shown(transfer: Transfer) -> dict[str, Any]:
    """A transfer as its row says, with the names that people know."""
    names = [f.name for f in Transfer._meta.concrete_fields if f.name not in HIDDEN]
    row = {name: getattr(transfer, name) for name in names}
    return {
        **row,
        "version": transfer.version and str(transfer.version),
        "rows_per_second": transfer.rows_per_second,
        "bytes_per_second": transfer.bytes_per_second,
    }
