"""The whole pipeline with a platform's warehouse, and what it published."""

import json
from typing import Any

from tests.platform import Platform

# Of a command: a warehouse may have to start, and a Spark server compiles some hundred statements.
SECONDS = 1500
VERSIONS = (
    "import json; from flights.models import PublishedTable;"
    "rows = PublishedTable.objects.values_list('table', 'current__rows', 'current__digest');"
    "print(json.dumps(sorted(rows)))"
)


def publish(platform: Platform, file: str) -> None:
    """Replace the records by those of a file, and publish all tables."""
    for command in (["ingest", "--replace", file], ["broker"], ["transfer", "--all"]):
        platform.manage(*command, seconds=SECONDS)


def versions(platform: Platform) -> list[Any]:
    """Name, number of rows and digest of each published table."""
    published: list[Any] = json.loads(platform.python(VERSIONS))
    return published
