"""`/api/ask`: a question in English, answered with figures and the query that returns them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from flights import versions
from flights.ask import answers, service
from flights.errors import BadQuery
from flights.web import caching
from flights.web.open_view import OpenView
from flights.web.openapi import Texts
from flights.web.params import required, single_values
from flights.web.problems import problems
from flights.web.renderers import JSON, Browsable

PARAMETERS = {"q", "previous", "format"}
ABOUT_Q = "A question in English of at most 300 characters."
ABOUT_PREVIOUS = (
    '`understood` of the previous answer, which a question such as "and on Mondays?" continues.'
)


class Correction(serializers.Serializer[Any]):
    """A misspelt word, and the word that AirSense read instead."""

    written = serializers.CharField()
    read = serializers.CharField()


class AnswerFigure(serializers.Serializer[Any]):
    """A figure of all matching flights, or of one group of them."""

    name = serializers.CharField(allow_null=True, help_text="Name of the group.")
    keys = serializers.DictField(child=serializers.JSONField(), help_text="Columns of the group.")
    value = serializers.FloatField()
    flights = serializers.IntegerField(help_text="Number of flights that the figure rests on.")
    page = serializers.CharField(allow_null=True, help_text="Page about the group.")


class AnswerMeasure(serializers.Serializer[Any]):
    aggregate = serializers.CharField(help_text="As in the parameter `aggregate`.")
    words = serializers.CharField()
    unit = serializers.CharField()


class Plan(serializers.Serializer[Any]):
    """The query as an object: what the address in `url` says."""

    table = serializers.CharField()
    filters = serializers.DictField(child=serializers.CharField())
    group_by = Texts()
    aggregates = Texts()
    having = Texts()
    order_by = Texts()
    limit = serializers.IntegerField()


class Answer(serializers.Serializer[Any]):
    """The answer; without one, `sentence` says why, and `suggestions` are close questions."""

    question = serializers.CharField()
    answered = serializers.BooleanField()
    sentence = serializers.CharField()
    understood = serializers.CharField(
        allow_null=True, help_text="The question as it was read: send it as `previous`."
    )
    corrected = Correction(many=True)
    measure = AnswerMeasure(allow_null=True)
    figures = AnswerFigure(many=True)
    more = serializers.BooleanField(help_text="Whether further groups were left out.")
    flights = serializers.IntegerField(allow_null=True)
    table = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True, help_text="Query that returns the figures.")
    plan = Plan(allow_null=True)
    by_model = serializers.BooleanField(help_text="Whether a language model made the plan.")
    suggestions = Texts(help_text="Close questions that have an answer.")


class Ask(OpenView):
    """Answer a question about flights, such as "which airline is worst at LGA in July"."""

    renderer_classes = [JSON, Browsable]

    @extend_schema(
        operation_id="ask",
        tags=["Ask"],
        parameters=[
            OpenApiParameter("q", required=True, description=ABOUT_Q),
            OpenApiParameter("previous", description=ABOUT_PREVIOUS),
        ],
        responses={200: Answer, **problems(400, 401, 403, 406, 414, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        params = single_values(request.query_params)
        if unknown := params.keys() - PARAMETERS:
            raise BadQuery(f"There is no parameter {min(unknown)[:80]!r}.", sorted(PARAMETERS))
        if not params.get("q", "").strip():
            raise BadQuery("Send q=, a question.")
        return versions.with_retry(lambda: self.respond(request, params))

    @extend_schema(
        operation_id="ask_by_post",
        tags=["Ask"],
        request=inline_serializer(
            "Question",
            {
                "question": serializers.CharField(help_text=ABOUT_Q),
                "previous": serializers.CharField(required=False, help_text=ABOUT_PREVIOUS),
            },
        ),
        responses={200: Answer, **problems(400, 401, 403, 406, 413, 414, 415, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        question, previous = text(request, "question"), optional(request, "previous")
        answer = service.answer(question, previous)
        return Response(answers.as_json(answer), headers={"Cache-Control": "no-store"})

    def respond(self, request: Request, params: dict[str, str]) -> Response:
        answer = service.answer(params["q"], params.get("previous", ""))
        of = service.versions_of(answer)
        if not of:
            return Response(answers.as_json(answer), headers={"Cache-Control": "no-store"})
        media_type = request.accepted_renderer.media_type
        headers = caching.headers(caching.url(request.META), media_type, of)
        if caching.unchanged(request.META, headers):
            return Response(status=304, headers=headers)
        return Response(answers.as_json(answer), headers=headers)


def text(request: Request, name: str) -> str:
    """A text of a JSON body. Raises BadQuery if it is missing or not a text."""
    return _checked(name, required(request, name))


def optional(request: Request, name: str) -> str:
    """A text of a JSON body, or "" if it is missing. Raises BadQuery if it is not a text."""
    body = request.data
    return _checked(name, (body.get(name) if isinstance(body, dict) else "") or "")


def _checked(name: str, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise BadQuery(f"{name} must be a text without NUL.")
    return value
