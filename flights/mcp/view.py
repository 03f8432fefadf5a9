"""The endpoint `/mcp`: each POST is one message of the protocol, to a new server in memory."""

from collections.abc import MutableMapping
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from flights.web.open_view import OpenView
from flights.web.renderers import JSON

from . import reading

type Message = MutableMapping[str, Any]  # of ASGI


class AnyType(BaseContentNegotiation):
    """The SDK itself checks the Accept header, as the protocol prescribes."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class Endpoint(OpenView):
    """Respond to single messages, without sessions. GET would open a stream, so it is 405."""

    renderer_classes = [JSON]
    content_negotiation_class = AnyType
    schema = None  # JSON-RPC, which OpenAPI cannot describe

    def post(self, request: Request) -> HttpResponseBase:
        token = reading.site.set(f"{request.scheme}://{request.get_host()}")
        try:
            return async_to_sync(_respond)(_scope(request), request.body)
        finally:
            reading.site.reset(token)


async def _respond(scope: Message, body: bytes) -> HttpResponse:
    """Let the SDK respond to one request. `airsense.edge` has already limited the body's size."""
    from .server import manager  # the import takes a second and 40 MB

    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    server = manager(settings.VERSION)
    async with server.run():
        await server.handle_request(scope, receive, send)
    return _response(messages)


def _response(messages: list[Message]) -> HttpResponse:
    start, *parts = messages
    response = HttpResponse(b"".join(p.get("body", b"") for p in parts), status=start["status"])
    del response["Content-Type"]
    for name, value in start["headers"]:
        response[name.decode("latin-1")] = value.decode("latin-1")
    response["Cache-Control"] = "no-store"
    return response


def _scope(request: Request) -> Message:
    """The ASGI scope of a request."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in request.headers.items()
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": None,
        "server": None,
    }
