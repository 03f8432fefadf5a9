"""Random flight records, and the tables that follow from them, computed in plain Python."""

import csv
import io
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

type Record = tuple[str, str, str, str, int | None, int | None]

FIRST = date(2013, 1, 1)
# Long, so that an export of a few thousand records exceeds the buffers between server and client.
CITIES = [f"City {number} {'of the long name ' * 28}, NY" for number in range(50)]


def records(seed: int, count: int) -> list[Record]:
    """Records whose tables all differ from seed to seed."""
    return [
        (
            (FIRST + timedelta(i % 28)).isoformat(),
            f"Airline {i % 5}",
            CITIES[i % 50],
            CITIES[(i * 7 + 3) % 50],
            None if i % 97 == 0 else (i * seed) % 61 - 10,
            None if i % 89 == 0 else (i * (seed + 1)) % 71 - 12,
        )
        for i in range(count)
    ]


def as_csv(rows: list[Record]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def rounded(total: int, count: int) -> float | None:
    """An average, rounded half away from zero to 2 places."""
    if not count:
        return None
    return float((Decimal(int(total)) / count).quantize(Decimal("0.01"), ROUND_HALF_UP))


def average(values: list[int]) -> float | None:
    return rounded(sum(values), len(values))


def delays_by_day(rows: list[Record]) -> list[dict[str, object]]:
    """The rows of the table delays_by_day, in its order."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        groups[date.fromisoformat(row[0]).strftime("%A")].append(row)
    table: list[dict[str, object]] = [
        {
            "Day_of_Week": day,
            "Avg_Departure_Delay": average([r[4] for r in group if r[4] is not None]),
            "Avg_Arrival_Delay": average([r[5] for r in group if r[5] is not None]),
            "Total_Flights": len(group),
        }
        for day, group in groups.items()
    ]
    return sorted(table, key=lambda r: (-float(str(r["Avg_Arrival_Delay"])), r["Day_of_Week"]))
