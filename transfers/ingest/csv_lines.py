"""Split a CSV file into blocks of whole lines, and check each block before it is parsed.

Each record is one line. RFC 4180 allows line breaks inside quotes, but then a single unclosed quote
swallows the rest of the file, and no value of a flight record has a line break. So each quoted
value must end in its line, and a quote inside it must be doubled. A quote inside an unquoted value
is ordinary text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from transfers.exceptions import BadInput

from .encoding import Encoding

BLOCK_BYTES = 4 << 20  # checked and parsed at a time

QUOTED = rb'(?<![^,\r\n])"(?:[^"\r\n]++|"")*+"'  # a quoted value; "" inside it is a quote
WELL_QUOTED = re.compile(rb'(?:[^"]++|' + QUOTED + rb'(?![^,\r\n])|(?<=[^,\r\n])")*+')
VALUE = re.compile(QUOTED)
# The same rule for Arrow's RE2, which is four times faster, but does not say where a fault is.
ALL_WELL_QUOTED = r'\A(?:(?:"(?:[^"\r\n]|"")*"|[^",\r\n][^,\r\n]*)?(?:[,\r\n]|\z))*\z'
LINE_END = re.compile(rb"\r\n|\r|\n")
# For each line ending: the other endings, which a file with this one must not contain.
OTHER_ENDINGS = {
    b"\n": re.compile(rb"\r\n?"),
    b"\r\n": re.compile(rb"\r(?!\n)|(?<!\r)\n"),
    b"\r": re.compile(rb"\n"),
}
QUOTE_ADVICE = 'Write a quote inside a quoted value twice: "".'
OPEN_ADVICE = "Close the quote, or remove it. A value cannot hold a line break."

type Fault = tuple[int, str, str]  # its offset in the block, the problem, and advice


@dataclass(frozen=True)
class Block:
    """Some whole lines of a file."""

    content: bytes
    first_line: int  # number of the first line in the file, from 1

    def place(self, row: int) -> str:
        """Return "line N" for a record, counted from 0; empty lines are not records."""
        lines = (n for n, line in enumerate(self.content.splitlines(), self.first_line) if line)
        return f"line {next(n for index, n in enumerate(lines) if index == row)}"

    def after(self, lines: int) -> "Block":
        """Return the block without its first lines."""
        rest = self.content.splitlines(keepends=True)[lines:] if lines else [self.content]
        return Block(b"".join(rest), self.first_line + lines)

    def cut(self, offset: int) -> tuple["Block", str]:
        """Return the lines before the line at `offset`, and "line N" for that line."""
        start = max(self.content.rfind(end, 0, offset) for end in (b"\r", b"\n")) + 1
        before = self.content[:start]
        return Block(before, self.first_line), f"line {self.first_line + len(before.splitlines())}"


def blocks(file: str, chunks: Iterable[bytes], encoding: Encoding) -> Iterator[Block]:
    """Yield all lines of a file as UTF-8.

    At the first faulty line, yield those before it, then raise BadInput.
    """
    ending = b""
    for block in _whole_lines(chunks):
        ending = ending or _line_ending(block.content)
        fault = _first_fault(block.content, ending, encoding)
        before, place = block.cut(fault[0]) if fault else (block, "")
        if before.content:
            yield Block(encoding.utf8(before.content, before.first_line), before.first_line)
        if fault:
            raise BadInput(fault[1], file=file, place=place, advice=fault[2])


def values(line: bytes) -> int:
    """Count the values in a line whose quotes have been checked."""
    return VALUE.sub(b"", line).count(b",") + 1


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[Block]:
    """Cut chunks of bytes at line endings, and drop a byte order mark at the start of the file."""
    number, rest = 1, b""
    for content in _joined(chunks):
        content = rest + content if number > 1 or rest else content.removeprefix(b"\xef\xbb\xbf")
        # Do not cut after a final \r: it may be half of a \r\n.
        cut = content.rfind(b"\n") + 1 or content.rfind(b"\r", 0, -1) + 1
        whole, rest = content[:cut], content[cut:]
        if whole:
            yield Block(whole, number)
            number += whole.count(b"\n") or whole.count(b"\r")  # mixed endings are refused
        # Such a line is refused, so read no further. The 1 is for a \r, which does not count.
        if len(rest) > settings.INGEST_LINE_BYTES + 1:
            break
    if rest:
        yield Block(rest, number)


def _joined(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Join chunks until they have `BLOCK_BYTES`."""
    parts: list[bytes] = []
    for chunk in chunks:
        parts.append(chunk)
        if sum(map(len, parts)) >= BLOCK_BYTES:
            yield b"".join(parts)
            parts.clear()
    yield b"".join(parts)


def _line_ending(content: bytes) -> bytes:
    match = LINE_END.search(content)
    return match[0] if match else b"\n"


def _first_fault(content: bytes, ending: bytes, encoding: Encoding) -> Fault | None:
    faults = [_long_line(content), encoding.fault(content), _bad_quote(content)]
    return min(filter(None, [*faults, _mixed_endings(content, ending)]), default=None)


def _long_line(content: bytes) -> Fault | None:
    limit = settings.INGEST_LINE_BYTES
    if not _has_long_line(content, limit):
        return None
    offset = 0
    for line in content.splitlines(keepends=True):
        if len(line.rstrip(b"\r\n")) > limit:
            break
        offset += len(line)
    advice = "Check quotes and line endings, or raise INGEST_LINE_BYTES."
    return offset, f"the line is longer than {limit:,} bytes.", advice


def _has_long_line(content: bytes, limit: int) -> bool:
    """Look for a line end in each stretch of the content that is longer than the limit."""
    start = 0
    while len(content) - start > limit:
        end = start + limit + 1
        cut = max(content.rfind(mark, start, end) for mark in (b"\n", b"\r"))
        if cut < 0:
            return True
        start = cut + 1
    return False


def _bad_quote(content: bytes) -> Fault | None:
    if b'"' not in content or _is_well_quoted(content):
        return None
    match = WELL_QUOTED.match(content)
    assert match is not None, "the pattern also matches the empty text"
    offset = match.end()
    if offset == len(content):
        return None
    if value := VALUE.match(content, offset):
        text = content[value.end() : value.end() + 20].decode(errors="replace")
        problem = f"text follows a closing quote: {text.splitlines()[0]!r}."
        return offset, problem, QUOTE_ADVICE
    return offset, "a quote is not closed in its line.", OPEN_ADVICE


def _is_well_quoted(content: bytes) -> bool:
    matches = pc.match_substring_regex(pa.array([content], pa.binary()), ALL_WELL_QUOTED)
    return bool(matches[0].as_py())


def _mixed_endings(content: bytes, ending: bytes) -> Fault | None:
    """Find the first line whose ending differs from that of the file's first line."""
    counts = {content.count(b) for b in (b"\r\n", b"\n", b"\r")} if ending == b"\r\n" else ()
    # Equal counts mean that all endings are CR LF; counting is faster than searching.
    match = None if len(counts) == 1 else OTHER_ENDINGS[ending].search(content)
    if match is None:
        return None
    names = {b"\n": "LF", b"\r\n": "CR LF", b"\r": "CR"}
    problem = f"it ends with {names[match[0]]}, but the first line with {names[ending]}."
    return match.start(), problem, "Use the same line ending in the whole file."
