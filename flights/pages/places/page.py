"""What a page about a thing consists of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings

from flights.pages import formatting, on_time
from flights.pages.charts import Figure

LEAST = 10  # flights of a part of a figure, such as an hour: otherwise it shows single flights

type Link = tuple[str, str]  # text and address


@dataclass(frozen=True)
class Cell:
    text: str
    url: str = ""
    number: bool = False


@dataclass(frozen=True)
class Listing:
    """A table of a page, with the address of the query that gives its values."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    source: str
    data: str  # address of the query API
    note: str = ""
    also: str = ""  # address of a second query, if one is not enough

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """Each head, and whether its column has numbers."""
        first = self.rows[0] if self.rows else [Cell("")] * len(self.heads)
        return [(head, cell.number) for head, cell in zip(self.heads, first, strict=True)]


@dataclass(frozen=True)
class Fact:
    """A figure beside the answer."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Choice:
    """A field of a page's form: a text, a number, or one of some options."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]] = ()  # value and text
    number: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    title: str
    answer: str  # one sentence; also the description for search engines
    flights: int | None  # on which the answer rests; 0 or None: it has no percentage
    kind: str  # "Route": stands above the title
    above: Link  # the list of all things of this kind
    facts: Sequence[Fact] = ()
    figures: Sequence[Figure] = ()  # the first one is the page's share image
    listings: Sequence[Listing] = ()
    related: Sequence[Link] = ()
    notes: Sequence[str] = ()  # definitions and assumptions
    choices: Sequence[Choice] = ()  # of a form that narrows the page
    submit: str = "Show"
    pager: Sequence[Link] = field(default=())
    indexed: bool = True  # whether search engines should list it

    @property
    def few(self) -> str:
        """What to say about few flights; empty if there are enough."""
        if not self.flights or on_time.enough(self.flights):
            return ""
        counted = formatting.count(self.flights, "flight")
        enough = formatting.count(settings.FLIGHTS_TO_RANK, "flight")
        return f"Only {counted}: below {enough} a percentage is mostly chance."
