"""Store a cited figure. A second citation of a figure of the same version is the same citation.

Everybody may cite, and citations are never deleted. So the number of new ones a day is limited.
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
from flights.pages.charts import Figure, picture

LETTERS = 12  # of a name: 60 bits
WAIT = 3_600  # seconds; the limit counts the last 24 hours


def keep(figure: Figure, page: str) -> Citation:
    """Return the citation of a figure; `page` is the address of its page. Raises Unavailable."""
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
            f"{most:,} figures were cited in the last 24 hours, which is the limit. Try later.",
            WAIT,
        )
