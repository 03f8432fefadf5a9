"""Serve the metrics of a worker, which has no web server."""

from collections.abc import Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from . import exposition


class Silent(WSGIRequestHandler):
    """Logs no requests."""

    def log_message(self, *_: Any) -> None:
        pass


def start(host: str, port: int) -> None:
    """Answer `/metrics` in a thread, as the web server does."""
    server = make_server(host, port, _answer, handler_class=Silent)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def _answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/metrics":
        start_response("404 Not Found", [])
        return []
    start_response("200 OK", [*exposition.HEADERS])  # wsgiref adds to the list
    return [exposition.text(environ)]
