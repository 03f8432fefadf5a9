"""Random queries of a table with 106 rows that every peer can answer, with about 10 rows each."""

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
HIGHEST = 20.0  # minutes; largest random threshold
MANY = 50_000


@dataclass(frozen=True)
class Query:
    """A query, independent of any API's syntax."""

    columns: tuple[str, ...]  # in the table's order
    order: str
    descending: bool
    limit: int
    threshold: float  # smallest value of the column THRESHOLD


def random_query() -> Query:
    """A new query: the nine decimals of its threshold make it unique."""
    chosen = set(random.sample(COLUMNS, random.randint(2, len(COLUMNS))))
    return Query(
        tuple(column for column in COLUMNS if column in chosen),
        random.choice(COLUMNS),
        random.random() < 0.5,
        random.randint(5, 15),
        round(random.uniform(0, HIGHEST), 9),
    )


def distinct(number: int = MANY) -> list[Query]:
    return [random_query() for _ in range(number)]


def zipf[T](items: list[T], number: int = MANY) -> list[T]:
    """Draw items by Zipf's law: the n-th is 1/n times as frequent as the first."""
    return random.choices(items, [1 / n for n in range(1, len(items) + 1)], k=number)


def dynamic_query(query: Query) -> str:
    direction = "DESC" if query.descending else "ASC"
    params = {
        "table_name": TABLE,
        "columns": ",".join(query.columns),
        "where": f"{THRESHOLD}__gte:{query.threshold}",
        "order_by": query.order,
        "order_direction": direction,
        "limit": query.limit,
    }
    return f"/api/dynamic_query?{urlencode(params, safe=',:')}"


def viewset(query: Query) -> str:
    return path_with_params(f"/api/{TABLE}/", query, f"{THRESHOLD}__gte", "order_by")


def path_with_params(path: str, query: Query, threshold: str, order: str) -> str:
    """The path of a query for a server that names its filter `threshold` and its order `order`."""
    params = {
        "columns": ",".join(query.columns),
        threshold: query.threshold,
        order: signed(query),
        "limit": query.limit,
    }
    return f"{path}?{urlencode(params, safe=',')}"


def signed(query: Query) -> str:
    """The order as `column`, or `-column` if it is descending."""
    return f"{'-' * query.descending}{query.order}"
