"""`/status` and `/api/status`: tables, current work and recent problems, for everybody.

The browser gets a page, programs get JSON. If PostgreSQL does not answer, both say so within
STATUS_TIMEOUT_MS, with status 503.
"""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.template.loader import render_to_string
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from flights.web.open_view import OpenView
from flights.web.problems import problems
from flights.web.renderers import Browsable
from transfers import overview

from . import status
from .checks import Check

# Parts of the platform, and their names on the page. The warehouse is left out: a visitor must not
# start a warehouse that costs money by the minute.
PARTS = {
    "postgresql": "The database",
    "valkey": "The queue",
    "worker": "The worker",
    "beat": "The schedule",
}

_facts = Check(overview.read)


class TableStatus(serializers.Serializer[Any]):
    table = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="null: never published")
    rows = serializers.IntegerField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last found equal to the warehouse."
    )
    fresh_within = serializers.FloatField(
        allow_null=True, help_text="Seconds after `confirmed_at` until it is stale; null: never."
    )
    stale = serializers.BooleanField()


class Work(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["transfer", "job", "export"])
    what = serializers.CharField(help_text="The table, or the kind of job.")
    status = serializers.ChoiceField(["queued", "running"])
    started_at = serializers.DateTimeField(allow_null=True)
    phase = serializers.CharField(allow_blank=True)
    percent = serializers.IntegerField(allow_null=True, help_text="Share of the rows.")
    seconds_left = serializers.IntegerField(
        allow_null=True, help_text="Until the rows are copied, at the rate so far."
    )


class Part(serializers.Serializer[Any]):
    part = serializers.ChoiceField([*PARTS])
    up = serializers.BooleanField()


class Incident(serializers.Serializer[Any]):
    about = serializers.ChoiceField(["table", "job", "schedule", "export"])
    subject = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(["failed", "stale"])
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="null: it lasts")


class PlatformStatus(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        ["ok", "degraded"], help_text="degraded: a part is down, a table stale or a problem lasts."
    )
    checked_at = serializers.DateTimeField()
    parts = Part(many=True)
    tables = TableStatus(many=True)
    work = Work(many=True)
    problems = Incident(many=True, help_text="Of the last seven days, newest first.")


class Page(Browsable):
    """The page; errors of the request are shown as on other API pages."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> str:
        response, request = renderer_context["response"], renderer_context["request"]
        if response.exception:
            text: str = super().render(data, accepted_media_type, renderer_context)
            return text
        parts = [(PARTS[part["part"]], part["up"]) for part in data["parts"]]
        context = {**data, "lights": parts, "work": [_timed(work) for work in data["work"]]}
        return render_to_string("status.html", context, request._request)


class Status(OpenView):
    """Each table's version and freshness, current work, and problems of the last week."""

    # An OpenView reads no sessions and keys: they are in PostgreSQL, which may hang.
    name = "Status"

    @extend_schema(
        operation_id="status",
        tags=["Tables"],
        responses={200: PlatformStatus, 503: PlatformStatus, **problems(406, 429)},
    )
    def get(self, request: Request) -> Response:
        _facts.begin()
        parts = [{"part": state.part, "up": state.up} for state in status.states(PARTS)]
        payload = _payload(parts)
        code = 200 if payload["tables"] else 503
        return Response(payload, code, headers={"Cache-Control": "no-store"})


def _payload(parts: list[dict[str, Any]]) -> dict[str, Any]:
    try:
        facts = _facts.result()
    except (DatabaseError, TimeoutError):
        facts = {"tables": [], "work": [], "problems": []}
    is_ok = (
        all(part["up"] for part in parts)
        and facts["tables"]
        and not any(table["stale"] for table in facts["tables"])
        and all(problem["ended_at"] for problem in facts["problems"])
    )
    word = "ok" if is_ok else "degraded"
    return {"status": word, "checked_at": timezone.now(), "parts": parts, **facts}


def _timed(work: dict[str, Any]) -> dict[str, Any]:
    """Add `until`, the time at which the rows will be copied, for the template."""
    seconds = work["seconds_left"]
    until = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
    return {**work, "until": until}
