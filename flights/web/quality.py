"""How much a client wants each of several things: q-values of a header (RFC 9110, section 12.4)."""

import re

QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE | re.ASCII)


def read(header: str) -> dict[str, float]:
    """The names of `gzip;q=0.5, br` in lower case, each with its quality; 0 refuses."""
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        if name:
            qualities[name] = max(_quality(parameters), qualities.get(name, 0.0))
    return qualities


def _quality(parameters: list[str]) -> float:
    """1 where a client gives none, or none that can be read."""
    stated = [QUALITY.fullmatch(parameter) for parameter in parameters]
    return min((float(match[1]) for match in stated if match), default=1.0)
