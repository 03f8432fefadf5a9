"""Serve constant bytes by the platform's web server: `python -m benchmarks.constant PORT SIZE`."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import django

from airsense.management.commands.serve import serve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
django.setup()

from airsense.gateway import ClientReply, entry  # noqa: E402  # it needs Django

BODY = b"x" * int(sys.argv[2])
HEADERS = [("content-type", "application/json"), ("content-length", str(len(BODY)))]
REPLY = ClientReply(entry.Reply("200 OK", HEADERS, [BODY], entry.encode(HEADERS)), [])


class Constant:
    """Stands for the gateway: every response is cached."""

    metrics = SimpleNamespace(values={})  # the server adds gauges, which nobody reads here

    def cached(self, environ: dict[str, Any]) -> ClientReply:
        return REPLY


application = Constant()

if __name__ == "__main__":
    serve("benchmarks.constant:application", int(sys.argv[1]))
