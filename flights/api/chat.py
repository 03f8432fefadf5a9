"""`POST /api/chat`: the answer to a question as one text, in the format of the first AirSense."""

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from flights.ask import service
from flights.ask.answers import Answer
from flights.web.open_view import OpenView
from flights.web.problems import first_errors, problems

from .ask import ABOUT_PREVIOUS, optional, text

WORDS = 100  # most words of a reply, as in the first AirSense


class Chat(OpenView):
    """POST {"message": "which airline is worst at LGA"}: a reply of at most 100 words."""

    first_shape = True

    @extend_schema(
        operation_id="chat",
        tags=["First AirSense"],
        request=inline_serializer(
            "ChatMessage",
            {
                "message": serializers.CharField(),
                "previous": serializers.CharField(required=False, help_text=ABOUT_PREVIOUS),
            },
        ),
        responses={
            200: inline_serializer(
                "ChatReply",
                {
                    "reply": serializers.CharField(),
                    "understood": serializers.CharField(allow_null=True),
                    "url": serializers.CharField(allow_null=True),
                    "version": serializers.CharField(allow_null=True),
                },
            ),
            **first_errors(400, 401, 403, 406, 415, 429, 503),
            **problems(413, 414),
        },
    )
    def post(self, request: Request) -> Response:
        message, previous = text(request, "message"), optional(request, "previous")
        answer = service.answer(message, previous)
        body = {
            "reply": reply(answer),
            "understood": answer.understood or None,
            "url": answer.plan.url if answer.plan else None,
            "version": str(answer.figures.version) if answer.figures else None,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def reply(answer: Answer) -> str:
    """The sentence of an answer; if there is no answer, also similar questions that have one."""
    more = f" Try: {'; '.join(answer.suggestions)}." if answer.suggestions else ""
    words = f"{answer.sentence}{more}".split()
    return " ".join(words) if len(words) <= WORDS else f"{' '.join(words[:WORDS])}…"
