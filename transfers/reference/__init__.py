"""Names of airlines and airports that the DOT's flight records state only as codes.

docs/reference-data.md gives the sources. The lists that are committed hold what no package has;
names, coordinates and time zones of airports are read from the package airportsdata.
"""

import importlib.resources
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

FOLDER = Path(__file__).parent
PACIFIC = ("AS", "GU", "MP")  # territories that the DOT writes as the state "TT"
# The package lists an airport by its newest code; the DOT's records have the code of their day.
NEWEST_CODES = {"PBI": "DJT"}

AIRLINES = pa.schema(
    [
        ("Code", pa.string()),
        ("Name", pa.string()),
        ("First_Date", pa.date32()),  # null: since the beginning of the records
        ("Last_Date", pa.date32()),  # null: until today
    ]
)
AIRPORTS = pa.schema(
    [
        ("Code", pa.string()),
        ("Name", pa.string()),
        ("City", pa.string()),  # "Atlanta, GA"
        ("State", pa.string()),
        ("Latitude", pa.float64()),
        ("Longitude", pa.float64()),
        ("Time_Zone", pa.string()),
    ]
)
AIRPORT_IDS = pa.schema([("Id", pa.int32()), ("Code", pa.string())])
CITIES = pa.schema([("Code", pa.string()), ("City", pa.string())])
STATES = pa.schema([("Name", pa.string()), ("Code", pa.string())])


@cache
def airlines() -> pa.Table:
    """Return the airlines that report to the DOT, with the dates on which each had its code."""
    return _read(FOLDER / "airlines.csv", AIRLINES)


@cache
def airports() -> pa.Table:
    """Return the airports of the United States, with city and state as the DOT writes them.

    The columns after State are null for an airport that the package does not list.
    """
    packaged = _packaged()
    cities = _read(FOLDER / "cities.csv", CITIES)
    codes = pa.array(sorted({*cities["Code"].to_pylist(), *packaged["Code"].to_pylist()}))
    listed = packaged.take(pc.index_in(_newest(codes, packaged), packaged["Code"]))
    city = pc.coalesce(_lookup(codes, cities["Code"], cities["City"]), listed["City"])
    state = pc.utf8_slice_codeunits(city, -2)
    columns = [codes, listed["Name"], city, state, *listed.columns[4:]]
    return pa.table(columns, schema=AIRPORTS)


@cache
def airport_ids() -> pa.Table:
    """Return the code of each airport by the number that the DOT gives it."""
    return _read(FOLDER / "airport_ids.csv", AIRPORT_IDS)


def _packaged() -> pa.Table:
    """Return the package's airports of the United States in the columns of `AIRPORTS`."""
    text = ("iata", "name", "city", "subd", "country", "tz")
    types = dict.fromkeys(text, pa.string()) | dict.fromkeys(("lat", "lon"), pa.float64())
    package = Path(str(importlib.resources.files("airportsdata")))
    every = _read(package / "airports.csv", pa.schema(types.items()))
    states = _read(FOLDER / "states.csv", STATES)
    pacific = pc.is_in(every["country"], pa.array(PACIFIC))
    state = _lookup(every["subd"], states["Name"], states["Code"])
    state = pc.if_else(pacific, "TT", pc.if_else(pc.equal(every["country"], "US"), state, None))
    city = pc.binary_join_element_wise(every["city"], state, ", ")
    places = (every[name] for name in ("lat", "lon", "tz"))
    table = pa.table([every["iata"], every["name"], city, state, *places], schema=AIRPORTS)
    return table.filter(pc.and_(pc.is_valid(state), pc.not_equal(table["Code"], "")))


def _newest(codes: pa.Array, packaged: pa.Table) -> pa.Array:
    """Return the code by which the package lists each airport."""
    old, new = pa.array(NEWEST_CODES.keys()), pa.array(NEWEST_CODES.values())
    listed = pc.is_in(codes, packaged["Code"])
    return pc.if_else(listed, codes, pc.coalesce(_lookup(codes, old, new), codes))


def _lookup(keys: pa.Array, codes: pa.Array, values: pa.Array) -> pa.Array:
    return values.take(pc.index_in(keys, codes))


def _read(file: Path, schema: pa.Schema) -> pa.Table:
    """Read a CSV file with a header: the columns of `schema`, an unquoted empty value as null."""
    convert = pyarrow.csv.ConvertOptions(
        column_types=schema,
        include_columns=schema.names,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    return pyarrow.csv.read_csv(file, convert_options=convert)
