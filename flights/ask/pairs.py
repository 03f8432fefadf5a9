"""Pairs of filters: "Delta at JFK and United at Newark" is two questions."""

from itertools import combinations

from .constituents import Constituent
from .refusals import Refused

# The rules of the grammar that make each filter.
FILTERS = {
    "airline": ("airlines", "airline_flight"),
    "place": ("places",),
    "origin": ("origin",),
    "destination": ("destination",),
    "period": ("months", "month_range", "date", "date_range", "season", "holiday"),
    "weekdays": ("weekdays", "weekday_range", "weekend", "working_days"),
    "hours": ("daypart", "hour", "hour_range", "before", "after"),
}
OF = {rule: name for name, rules in FILTERS.items() for rule in rules}


def refuse(parts: list[Constituent]) -> None:
    """Raise Refused if two filters change together: each of one goes with one of the other."""
    named = [(OF[part.rule], part.tokens) for part in parts if part.rule in OF]
    for pair in combinations(FILTERS, 2):
        some = [each for each in named if each[0] in pair]
        kinds = [kind for kind, _ in some]
        if kinds[:4] in ([*pair, *pair], [*pair[::-1], *pair[::-1]]) and len(set(some)) == len(
            some
        ):
            raise Refused(f"Ask about one {pair[0]} and its {pair[1]} at a time.")
