"""Random queries of the 106-row table, as every peer can answer them, with about 10 rows each."""

import random
from dataclasses import dataclass
from urllib.parse import urlencode

TABLE = "busiest_airports_by_delays"
COLUMNS = (
    "City",
    "Total_Departure_Delay",
    "Total_Departures",
    "Avg_Departure_Delay",
    "Total_Arrival_Delay",
    "Total_Arrivals",
    "Avg_Arrival_Delay",
    "Total_Avg_Delay",
)
THRESHOLD = "Avg_Departure_Delay"
HIGHEST = 20.0  # minutes; 100 of 106 rows have more
MANY = 50_000


@dataclass(frozen=True)
class Query:
    columns: tuple[str, ...]  # in the table's order
    order: str
    descending: bool
    limit: int
    threshold: float  # of `THRESHOLD`, at least


def drawn() -> Query:
    """One that nobody has asked before, by the digits of its threshold."""
    chosen = set(random.sample(COLUMNS, random.randint(2, len(COLUMNS))))
    return Query(
        tuple(column for column in COLUMNS if column in chosen),
        random.choice(COLUMNS),
        random.random() < 0.5,
        random.randint(5, 15),
        round(random.uniform(0, HIGHEST), 9),
    )


def distinct(number: int = MANY) -> list[Query]:
    return [drawn() for _ in range(number)]


def zipf[T](items: list[T], number: int = MANY) -> list[T]:
    """The n-th item is asked 1/n times as often as the first."""
    return random.choices(items, [1 / n for n in range(1, len(items) + 1)], k=number)


def dynamic_query(query: Query) -> str:
    direction = "DESC" if query.descending else "ASC"
    asked = {
        "table_name": TABLE,
        "columns": ",".join(query.columns),
        "where": f"{THRESHOLD}__gte:{query.threshold}",
        "order_by": query.order,
        "order_direction": direction,
        "limit": query.limit,
    }
    return f"/api/dynamic_query?{urlencode(asked, safe=',:')}"


def viewset(query: Query) -> str:
    return named(f"/api/{TABLE}/", query, f"{THRESHOLD}__gte", "order_by")


def named(path: str, query: Query, least: str, order: str) -> str:
    """A query of a server that has its own names for the threshold and the order."""
    asked = {
        "columns": ",".join(query.columns),
        least: query.threshold,
        order: signed(query),
        "limit": query.limit,
    }
    return f"{path}?{urlencode(asked, safe=',')}"


def signed(query: Query) -> str:
    return f"{'-' * query.descending}{query.order}"
