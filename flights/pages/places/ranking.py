"""The order and the pages of a list of things."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from flights.errors import BadQuery
from flights.pages import formatting, on_time
from flights.query.params import whole_number

from . import outcomes
from .outcomes import Measured, Row
from .page import Choice, Link

ROWS = 100  # of a page
ORDERS = {
    "best": "most punctual first",
    "worst": "least punctual first",
    "busiest": "most flights first",
}


@dataclass(frozen=True)
class Ranking:
    """The things with enough flights, in an order, and the page of them that is shown."""

    rows: Sequence[Row]
    order: str
    page: int  # from 1 on

    @classmethod
    def read(
        cls, params: dict[str, str], rows: Sequence[Row], by: Measured, default: str = "best"
    ) -> Self:
        """The parameters `order` and `page`. Raises BadQuery for others than exist."""
        order = params.get("order") or default
        if order not in ORDERS:
            raise BadQuery(f"order: {order[:40]!r} is unknown.", list(ORDERS))
        best = outcomes.ranked(rows, by)  # the other orders keep its order of equal rows
        keys: dict[str, Callable[[Row], float]] = {
            "best": lambda row: -row[by.percent],
            "worst": lambda row: row[by.percent],
            "busiest": lambda row: -row[by.flights],
        }
        ranking = cls(sorted(best, key=keys[order]), order, whole_number(params, "page", 1))
        if not 1 <= ranking.page <= ranking.pages:
            raise BadQuery(f"page: {ranking.page} is not a page from 1 to {ranking.pages}.")
        return ranking

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.rows) // ROWS))

    @property
    def shown(self) -> Sequence[Row]:
        return self.rows[(self.page - 1) * ROWS : self.page * ROWS]

    @property
    def first_place(self) -> int:
        """The place of the first row that is shown."""
        return (self.page - 1) * ROWS + 1

    @property
    def note(self) -> str:
        last = self.first_place + len(self.shown) - 1
        return (
            f"{self.first_place:,} to {last:,} of {len(self.rows):,}, {ORDERS[self.order]}. Only"
            f" those with {on_time.least()} are ranked."
        )

    @property
    def choice(self) -> Choice:
        return Choice("order", "Order", self.order, list(ORDERS.items()))

    def pager(self, params: dict[str, str]) -> list[Link]:
        """Links to the page before and the one after."""
        beside = {"Previous": self.page - 1, "Next": self.page + 1}
        return [
            (text, formatting.address("", {**params, "page": str(page)}))
            for text, page in beside.items()
            if 1 <= page <= self.pages
        ]
