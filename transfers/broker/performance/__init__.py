"""The SQL of the performance tables: one template with all measures, for six groupings.

`template.sql` defines each measure once. A `Grouping` states what the rows of one table are.
"""

from dataclasses import dataclass
from pathlib import Path
from string import Template

TEMPLATE = Template(Path(__file__).with_name("template.sql").read_text(encoding="utf-8"))
# A group has one code; its names are those of the latest flight.
NAMES = ("Airline_Name", "City", "Origin_City", "Destination_City")
LATEST = "max_by({0}, struct(Flight_Date, {0})) AS {0}"
WITHOUT_PADDING = "* EXCEPT (Avg_Scheduled_Minutes, Avg_Elapsed_Minutes)"


@dataclass(frozen=True)
class Grouping:
    """One performance table: its rows, and its columns before the measures."""

    comment: str
    columns: tuple[str, ...]  # of `outcomes` in the template
    directions: tuple[str, ...] = ("departing",)  # each flight counts once in each direction
    padding: bool = True  # whether the table has the averages of scheduled and elapsed minutes

    @property
    def keys(self) -> list[str]:
        """The columns that identify a row."""
        return [column for column in self.columns if column not in NAMES]


GROUPINGS = {
    "performance_by_month": Grouping(
        "Punctuality of each airline in each month.",
        ("Month", "Airline_Code", "Airline_Name"),
    ),
    "performance_by_date": Grouping(
        "Punctuality of all flights of each day.", ("Flight_Date",), padding=False
    ),
    "performance_by_airport": Grouping(
        "Punctuality of the flights that leave each airport, and of those that go to it.",
        ("Airport", "City", "Direction"),
        directions=("departing", "arriving"),
    ),
    "performance_by_hour": Grouping(
        "Punctuality of the flights that leave each airport in each hour of the day.",
        ("Airport", "Scheduled_Departure_Hour"),
        padding=False,
    ),
    "performance_by_route": Grouping(
        "Punctuality of each airline on each route.",
        (
            *("Origin", "Origin_City", "Destination", "Destination_City"),
            *("Airline_Code", "Airline_Name"),
        ),
    ),
    "performance_by_flight": Grouping(
        "Punctuality of each flight number between two airports.",
        ("Airline_Code", "Airline_Name", "Flight_Number", "Origin", "Destination"),
    ),
}


def sql(table: str) -> str:
    """Return the SQL statement that builds a performance table."""
    grouping = GROUPINGS[table]
    columns = [LATEST.format(c) if c in NAMES else c for c in grouping.columns]
    return TEMPLATE.substitute(
        table=table,
        comment=grouping.comment,
        directions=", ".join(f"('{direction}')" for direction in grouping.directions),
        present=" AND ".join(f"{key} IS NOT NULL" for key in grouping.keys),
        columns=",\n    ".join(columns),
        names=",\n    ".join(grouping.columns),
        keys=", ".join(grouping.keys),
        selected="*" if grouping.padding else WITHOUT_PADDING,
    )
