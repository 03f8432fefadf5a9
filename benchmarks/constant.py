"""The platform's server, answering constant bytes before Django: its port and their number."""

import os
import sys
from typing import Any

import django

from airsense.management.commands.serve import serve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
django.setup()

from airsense.gateway import Sent, entry  # noqa: E402  # it needs Django

BODY = b"x" * int(sys.argv[2])
HEADERS = [("content-type", "application/json"), ("content-length", str(len(BODY)))]
SENT = Sent(entry.Reply("200 OK", HEADERS, [BODY], entry.wire(HEADERS)), [])


class Constant:
    def known(self, environ: dict[str, Any]) -> Sent:
        return SENT


application = Constant()

if __name__ == "__main__":
    serve("benchmarks.constant:application", int(sys.argv[1]))
