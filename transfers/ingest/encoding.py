"""The encoding of a text file: UTF-8, or Latin-1 as in older files of the DOT.

Until the first character outside ASCII, both are the same. If it is not UTF-8, the file is read as
Latin-1. A file with bytes that Latin-1 does not have (0x80 to 0x9F) or a NUL is neither.
"""

import re

NOT_ASCII = re.compile(rb"[\x80-\xff]")
NOT_LATIN = re.compile(rb"[\x00\x80-\x9f]")
ADVICE = "Save the file as UTF-8."


class Encoding:
    """The encoding of one file, which becomes known while the file is read."""

    def __init__(self) -> None:
        self._name = ""
        self.latin_line = 0  # the first line with a character of Latin-1

    def fault(self, content: bytes) -> tuple[int, str, str] | None:
        """Return the offset of the first wrong byte, the problem and advice, if there is one."""
        if content.isascii():
            return None
        wrong = _not_utf8(content)
        first = NOT_ASCII.search(content)
        assert first is not None
        if not self._name:
            self._name = "latin-1" if first.start() == wrong else "utf-8"
        if self._name == "latin-1":
            match = NOT_LATIN.search(content)
            wrong = match.start() if match else -1
        return (wrong, "not UTF-8.", ADVICE) if wrong >= 0 else None

    def utf8(self, content: bytes, first_line: int) -> bytes:
        """Return content without faults as UTF-8."""
        if self._name != "latin-1" or content.isascii():
            return content
        if not self.latin_line:
            match = NOT_ASCII.search(content)
            assert match is not None
            before = content[: match.start()]
            self.latin_line = first_line + (before.count(b"\n") or before.count(b"\r"))
        return content.decode("latin-1").encode()

    def warnings(self, file: str) -> tuple[str, ...]:
        """Return a line that says where the file is not UTF-8, if it is not."""
        if not self.latin_line:
            return ()
        return (f"{file}, line {self.latin_line}: not UTF-8. The file is read as Latin-1.",)


def _not_utf8(content: bytes) -> int:
    """Return the offset of the first byte that is not UTF-8, or -1."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return -1
