"""Formats of dates in a mapping, such as "M/D/YYYY", and the regular expressions that read them."""

import re

# A date may have a time of midnight, as spreadsheets and databases write it.
MIDNIGHT = r"(?:[ T](?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)? AM))?"
PARTS = {
    "YYYY": r"(?P<year>[1-9]\d{3})",
    "MM": r"(?P<month>\d\d)",
    "DD": r"(?P<day>\d\d)",
    "M": r"(?P<month>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
}
LETTERS = re.compile("YYYY|MM|DD|M|D")


def check(format_: object) -> str:
    """Return a valid format; ValueError otherwise."""
    parts = sorted(part[0] for part in LETTERS.findall(str(format_)))
    rest = LETTERS.sub("", str(format_))
    if parts != ["D", "M", "Y"] or re.search(r"[A-Za-z0-9]", rest):
        raise ValueError(
            f"{format_!r} is not a format of dates. Write YYYY, MM or M, and DD or D once each,"
            " as in M/D/YYYY."
        )
    return str(format_)


def pattern(format_: str) -> str:
    """Return the regular expression of a format, with the groups year, month and day."""
    parts = re.split(f"({LETTERS.pattern})", format_)
    return f"^{''.join(PARTS.get(part) or re.escape(part) for part in parts)}{MIDNIGHT}$"
