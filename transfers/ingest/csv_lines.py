"""The lines of a CSV file in blocks, checked before anything is made of them.

A record is one line. CSV allows line breaks inside quotes, but then a quote that is never closed
swallows the rest of the file, and nothing in a flight record has two lines. So each quote must be
closed in its line, as RFC 4180 writes it. A quote inside a value that begins without one is text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from transfers.exceptions import BadInput

BLOCK = 4 << 20  # bytes that are checked and parsed at once

QUOTED = rb'(?<![^,\r\n])"(?:[^"\r\n]++|"")*+"'  # a whole quoted value; "" in it is a quote
WELL_QUOTED = re.compile(rb'(?:[^"]++|' + QUOTED + rb'(?![^,\r\n])|(?<=[^,\r\n])")*+')
VALUE = re.compile(QUOTED)
LINE_END = re.compile(rb"\r\n|\r|\n")
# Of each way to end lines, what no line may hold.
OTHER_ENDS = {
    b"\n": re.compile(rb"\r\n?"),
    b"\r\n": re.compile(rb"\r(?!\n)|(?<!\r)\n"),
    b"\r": re.compile(rb"\n"),
}
UTF8_ADVICE = "Save the file as UTF-8."
QUOTE_ADVICE = 'Write a quote inside a quoted value twice: "".'
OPEN_ADVICE = "Close the quote, or remove it. A value cannot hold a line break."

type Fault = tuple[int, str, str]  # where it begins, what is wrong, and what is allowed


@dataclass(frozen=True)
class Block:
    """Whole lines of a file."""

    content: bytes
    line: int  # the number of the first

    def place(self, row: int) -> str:
        """Where a record stands; an empty line is no record."""
        lines = (n for n, line in enumerate(self.content.splitlines(), self.line) if line)
        return f"line {next(n for index, n in enumerate(lines) if index == row)}"

    def cut(self, offset: int) -> tuple["Block", str]:
        """The lines before the one at an offset, and that one's place."""
        start = max(self.content.rfind(end, 0, offset) for end in (b"\r", b"\n")) + 1
        before = self.content[:start]
        return Block(before, self.line), f"line {self.line + len(before.splitlines())}"


def blocks(path: Path, chunks: Iterable[bytes]) -> Iterator[Block]:
    """All lines; BadInput at the first with a fault, when those before it are through."""
    end = b""
    for block in _whole_lines(path, chunks):
        end = end or _line_end(block.content)
        if fault := _fault(block.content, end):
            before, place = block.cut(fault[0])
            if before.content:
                yield before
            raise BadInput(fault[1], file=str(path), place=place, advice=fault[2])
        yield block


def values(line: bytes) -> int:
    """How many values a line has, whose quotes are as they should be."""
    return VALUE.sub(b"", line).count(b",") + 1


def _whole_lines(path: Path, chunks: Iterable[bytes]) -> Iterator[Block]:
    number, rest = 1, b""
    for content in _bundles(chunks):
        content = rest + content if number > 1 or rest else content.removeprefix(b"\xef\xbb\xbf")
        # A \r at the end may be half of a \r\n.
        cut = content.rfind(b"\n") + 1 or content.rfind(b"\r", 0, -1) + 1
        whole, rest = content[:cut], content[cut:]
        if whole:
            yield Block(whole, number)
            number += whole.count(b"\n") or whole.count(b"\r")  # a mixture is refused
        if len(rest) > settings.INGEST_LINE_BYTES + 1:  # it is refused; a \r is not counted
            break
    if rest:
        yield Block(rest, number)


def _bundles(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks joined to blocks."""
    parts: list[bytes] = []
    for chunk in chunks:
        parts.append(chunk)
        if sum(map(len, parts)) >= BLOCK:
            yield b"".join(parts)
            parts.clear()
    yield b"".join(parts)


def _line_end(content: bytes) -> bytes:
    match = LINE_END.search(content)
    return match[0] if match else b"\n"


def _fault(content: bytes, end: bytes) -> Fault | None:
    """The first thing that is wrong."""
    faults = [_long_line(content), _not_utf8(content), _bad_quote(content)]
    return min(filter(None, [*faults, _other_end(content, end)]), default=None)


def _long_line(content: bytes) -> Fault | None:
    limit = settings.INGEST_LINE_BYTES
    if max(map(len, content.splitlines()), default=0) <= limit:
        return None
    offset = 0
    for line in content.splitlines(keepends=True):
        if len(line.rstrip(b"\r\n")) > limit:
            break
        offset += len(line)
    advice = "Check quotes and line ends, or raise INGEST_LINE_BYTES."
    return offset, f"the line is longer than {limit:,} bytes.", advice


def _not_utf8(content: bytes) -> Fault | None:
    try:
        content.isascii() or content.decode()
    except UnicodeDecodeError as error:
        return error.start, "not UTF-8.", UTF8_ADVICE
    return None


def _bad_quote(content: bytes) -> Fault | None:
    if b'"' not in content:
        return None
    match = WELL_QUOTED.match(content)
    assert match is not None, "it matches the empty text too"
    offset = match.end()
    if offset == len(content):
        return None
    if value := VALUE.match(content, offset):
        text = content[value.end() : value.end() + 20].decode(errors="replace")
        problem = f"text follows a closing quote: {text.splitlines()[0]!r}."
        return offset, problem, QUOTE_ADVICE
    return offset, "a quote is not closed in its line.", OPEN_ADVICE


def _other_end(content: bytes, end: bytes) -> Fault | None:
    r"""A line that ends unlike the first one; a single \r may belong to a value that was cut."""
    counts = {content.count(part) for part in (b"\r\n", b"\n", b"\r")} if end == b"\r\n" else ()
    match = None if len(counts) == 1 else OTHER_ENDS[end].search(content)  # counting is faster
    if match is None:
        return None
    names = {b"\n": "LF", b"\r\n": "CR LF", b"\r": "CR"}
    problem = f"it ends with {names[match[0]]}, but the first line with {names[end]}."
    return match.start(), problem, "End all lines in the same way."
