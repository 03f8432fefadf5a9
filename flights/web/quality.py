"""Read the q-values of an Accept or Accept-Encoding header (RFC 9110, section 12.4.2)."""

from math import isnan

from django.http.request import MediaType

LONGEST = 256  # characters of an item; Django's parser takes quadratic time


def read(header: str) -> dict[str, float]:
    """The quality of each name in a header: `gzip;q=0.5, br` is {"gzip": 0.5, "br": 1.0}.

    Names are in lower case. A quality of 0 refuses the name. A missing or invalid quality is 1.
    """
    qualities: dict[str, float] = {}
    for item in header.lower().split(","):
        name, quality = _parse(item)
        if name:
            qualities[name] = max(quality, qualities.get(name, 0.0))
    return qualities


def _parse(item: str) -> tuple[str, float]:
    name = item.partition(";")[0].strip()
    try:
        quality = float(MediaType(item).quality) if len(item) <= LONGEST else 1.0
    except ValueError:  # a parameter names an unknown charset
        quality = 1.0
    return name, 1.0 if isnan(quality) else quality
