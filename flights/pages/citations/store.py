"""Store cited figures. Citing the same figure of the same version again returns its citation.

Everybody may cite a figure, and citations do not expire, so the number of new citations in 24 hours
is limited.
"""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from flights.errors import Unavailable
from flights.models import Citation
from flights.pages import formatting
from flights.pages.charts import Figure, picture

LETTERS = 12  # of a citation's name: 60 bits
WAIT = 3_600  # seconds in Retry-After; the limit counts the last 24 hours


def cite(figure: Figure, page: str) -> Citation:
    """Return the figure's citation, new or existing; `page` is the address of the figure's page.

    Raises Unavailable if the limit of new citations is reached.
    """
    content = _content(figure, page)
    name = _name(content)
    existing = Citation.objects.filter(pk=name).first()
    if existing:
        return existing
    _limit()
    citation, _ = Citation.objects.get_or_create(name=name, defaults=content)
    return citation


def _content(figure: Figure, page: str) -> dict[str, Any]:
    heads, rows = figure.chart.table()
    return {
        "title": figure.title,
        "sentence": figure.sentence,
        "measure": figure.measure,
        "source": figure.source,
        "flights": figure.flights,
        "heads": heads,
        "rows": rows,
        "picture": picture.svg(figure),
        "page": page,
        "query": figure.data,
    }


def _name(content: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:LETTERS]


def _limit() -> None:
    most, since = settings.CITATIONS_A_DAY, timezone.now() - timedelta(days=1)
    if Citation.objects.filter(made_at__gte=since).count() >= most:
        raise Unavailable(
            f"The limit of {formatting.count(most, 'new citation')} in 24 hours is reached."
            " Try again later.",
            WAIT,
        )
