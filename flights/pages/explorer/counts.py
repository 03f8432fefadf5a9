"""Count the rows that match, and the values of facets: at once, or after the first rows.

Counting a large table takes longer than reading its first rows. If the planner estimates that a
count is costly, the page shows an estimate or no count, and links to the address with all counts.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connections
from django.db.models import Q

from flights.errors import BadQuery, Unavailable
from flights.models import TableVersion
from flights.query import cost
from flights.query.counting import Facets
from flights.query.filters import Condition
from flights.query.paging import Page
from flights.query.query import Query
from flights.versions import READER

# In the planner's units. On 2.4 million flights a count of this cost took up to 60 ms.
AT_ONCE = 10_000
# Operators for which PostgreSQL's statistics give a useful estimate.
ESTIMABLE = ("exact", "gt", "gte", "lt", "lte", "in", "isnull")


@dataclass(frozen=True)
class Counted:
    """A number of rows or groups, or what is known of it before they are counted."""

    number: int
    words: str = ""  # "about" for an estimate, "more than" for the rows read so far
    later: bool = False  # whether counting can replace it

    @property
    def text(self) -> str:
        return f"{self.words} {self.number:,}".strip()


def of(query: Query, version: TableVersion, page: Page | None, complete: bool) -> Counted:
    """The number of a query's matches; `page` is its page, which can tell the number."""
    if page and not page.next and (page.rows or not query.offset):
        return Counted(query.offset + len(page.rows))
    if query.is_unfiltered:
        return Counted(version.rows)
    if query.count_way == "exact" or (complete and query.count_way != "estimated"):
        with suppress(BadQuery, Unavailable, OperationalError):
            return Counted(query.count(version, "exact"))
    elif query.count_way != "estimated" and is_cheap(query, version):
        return Counted(query.count(version, "exact"))
    return _estimate(query, version, page, later=not complete and query.count_way == "")


def _estimate(query: Query, version: TableVersion, page: Page | None, *, later: bool) -> Counted:
    """The planner's estimate; the rows read so far if it lacks statistics, as of parts of texts."""
    seen = query.offset + len(page.rows) if page else 0
    if seen and later and not all(map(_is_estimable, query.where)):
        return Counted(seen, "more than", later)
    return Counted(max(seen, query.count(version, "estimated")), "about", later)


def _is_estimable(part: Condition | Q) -> bool:
    return isinstance(part, Condition) and part.filter.lookup_expr in ESTIMABLE


def rows(query: Query, version: TableVersion, matches: Counted, complete: bool) -> Counted:
    """The number of rows that meet the filters, of which groups are made."""
    if not query.grouping:
        return matches
    return of(replace(query, grouping=None), version, None, complete)


def is_cheap(query: Query, version: TableVersion) -> bool:
    """Whether the planner expects that all matches can be counted at once."""
    if version.rows < cost.LARGE:
        return True
    counted = query.matches(version).order_by()
    if not query.grouping:
        counted = counted.values("pk")
    with suppress(EmptyResultSet):
        sql, values = counted.query.get_compiler(READER).as_sql()
        return cost.of(connections[READER], sql, values) <= AT_ONCE
    return True


def facets(query: Query, version: TableVersion, complete: bool) -> Facets | None:
    """The values of the facet columns; None if counting them would delay the first rows."""
    if not query.facet_columns or complete or is_cheap(query, version):
        return query.facets(version)
    return None


def in_words(matches: Counted, every: int, rows: str) -> str:
    """`852 of 4,748 flights, 18 %`"""
    if matches.number == every and not matches.words:
        return f"all {every:,} {rows}"
    number = replace(matches, number=min(matches.number, every))
    share = f", {percent(number.number, every)}" if every and matches.words != "more than" else ""
    return f"{number.text} of {every:,} {rows}{share}"


def percent(part: int, whole: int) -> str:
    """`18 %`, `1.8 %`, `0.18 %`; never `0 %` of something and never `100 %` of a part."""
    share = 100 * part / whole
    if part and share < 0.01:
        return "less than 0.01 %"
    digits = 0 if 10 <= share < 99.5 or share in (0, 100) else 1 if share >= 1 else 2
    if part < whole and share >= 99.95:
        return "more than 99.9 %"
    return f"{share:.{digits}f} %"
