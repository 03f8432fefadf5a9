"""What the address of the explorer says: its own parameters, and those of the query API."""

from dataclasses import dataclass
from functools import cached_property

from django.http import QueryDict

from flights.mirror import MirroredTable
from flights.query.filters import filters
from flights.query.params import LONGEST_NUMBER, canonical_name, is_whole

STICKY = ("view", "chart", "language")  # own parameters that links keep
OWN = ("table", *STICKY, "complete", "figure")
VIEWS = ["table", "chart"]
LANGUAGES = {
    "curl": "curl",
    "python": "Python",
    "r": "R",
    "javascript": "JavaScript",
    "graphql": "GraphQL",
}
SHOWN = 50
# A page of 500 rows is 250 kB; the API and its CSV give more.
SHOWN_AT_MOST = 500


@dataclass
class Address:
    """The table and the parameters of an address."""

    model: type[MirroredTable]
    address: QueryDict

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def title(self) -> str:
        return str(self.model._meta.verbose_name).capitalize()

    @property
    def about(self) -> str | None:
        return self.model.__doc__

    @property
    def rows(self) -> str:
        """What the rows of the table are: `flights`."""
        return self.model.mirror.rows

    @property
    def view(self) -> str:
        return self.address.get("view") or "table"

    @property
    def language(self) -> str:
        return (self.address.get("language") or "curl").lower()

    @property
    def is_complete(self) -> bool:
        """Whether everything is counted before the page is sent."""
        return bool(self.address.get("complete"))

    @cached_property
    def lists(self) -> dict[str, list[str]]:
        """All values of each of the API's parameters, so that repeated ones are refused."""
        own = {*OWN, "format"} if "figure" in self.address else OWN
        lists: dict[str, list[str]] = {}
        for name, values in self.address.lists():
            known = canonical_name(name)
            if known not in own:
                lists.setdefault(known, []).extend(map(str, values))
        return lists

    @cached_property
    def params(self) -> dict[str, str]:
        return {name: values[-1] for name, values in self.lists.items()}

    @cached_property
    def filters(self) -> dict[str, str]:
        return filters(self.params)

    @property
    def limit(self) -> str:
        limit = self.params.get("limit") or str(SHOWN)
        whole = is_whole(limit) and len(limit) <= LONGEST_NUMBER
        return str(min(int(limit), SHOWN_AT_MOST)) if whole else limit
