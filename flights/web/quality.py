"""Read the quality values of headers such as Accept-Encoding (RFC 9110, section 12.4.2)."""

import re

QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE | re.ASCII)


def read(header: str) -> dict[str, float]:
    """Return the quality of each name, in lower case: `gzip;q=0.5, br` is {"gzip": 0.5, "br": 1.0}.

    A quality is between 0 (not acceptable) and 1. Of repeated names the highest quality counts.
    """
    qualities: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (text.strip() for text in part.split(";"))
        if name:
            qualities[name] = max(_quality(parameters), qualities.get(name, 0.0))
    return qualities


def _quality(parameters: list[str]) -> float:
    """The quality of one name; 1 if it has no valid q parameter."""
    matches = map(QUALITY.fullmatch, parameters)
    return min((float(match[1]) for match in matches if match), default=1.0)
