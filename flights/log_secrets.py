"""Replace secrets in log lines by a mark.

This is a safety net: code must not log secrets. Tests fail if the mark appears in any log of a run.
"""

import re
from collections.abc import Iterable

MARK = "[secret]"
SHORTEST = 12  # characters; a shorter value could be part of harmless words, as `airsense` is
# Keys of the API, tokens of Databricks and of our admin, passwords in parameters and URLs.
FORMS = (
    r"airsense_[\w-]{43}",
    r"\bdapi[0-9a-f]{32}",
    r"(?<=\bToken )[0-9a-f]{40}",
    r"(?<=\bBearer )[\w.~+/-]{16,}",
    r"(?<=\bpassword=)[^\s&]{6,}",
    r"""(?<=://)[^\s/:@"']*:[^\s/@"']+(?=@)""",
)


class Redaction:
    """Replaces the known `secrets`, and whatever has the form of one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted({s for s in secrets if len(s) >= SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, longest_first), *FORMS]), re.ASCII)

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MARK, text)
