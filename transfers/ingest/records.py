"""Convert the rows of a file to the columns of the raw table, by the file's layout."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce

import pyarrow as pa
import pyarrow.compute as pc

from . import arrow_types, values
from .bad_values import BadValue, cast, refuse
from .layout import CODES, BadColumns, Layout
from .names import Namer
from .raw_columns import COLUMNS, TIMES
from .values import Rule

NAME_ADVICE = "Name the column in the header, or remove it."
EXACT_ADVICE = "Store it with less precision, or as text."


AIRPORTS = ("Origin", "Destination")
# The rule that converts the columns of a type, and the kind of the types that it accepts.
BY_TYPE: dict[pa.DataType, tuple[Rule, str]] = {
    pa.string(): (values.texts, "code"),
    pa.bool_(): (values.flags, "flag"),
    pa.int32(): (values.minutes, "minutes"),
}
RULES: dict[str, tuple[Rule, str]] = {
    **{name: BY_TYPE[type_] for name, type_ in COLUMNS.items() if type_ in BY_TYPE},
    **dict.fromkeys(CODES, (values.names, "name")),
    **dict.fromkeys(TIMES, (values.times, "time")),
    "Flight_Number": (values.numbers, "code"),
    "Cancellation_Reason": (values.reasons, "name"),
    "Distance_Miles": (values.miles, "number"),
}
KINDS = {"Flight_Date": "date", **{name: kind for name, (_, kind) in RULES.items()}}


@dataclass(frozen=True)
class Converter:
    """Converts the rows of one file."""

    layout: Layout
    types: Sequence[pa.DataType]  # of the file's columns
    namer: Namer

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the raw table, then the other ones that are kept.

        BadColumns if the type of a column is refused.
        """
        self.layout.check()
        for column, fill in self.layout.fills.items():
            for index in fill.columns:
                self._check_type(column, index)
        others = {
            name: self._stored_type(index) for index, name in self.layout.others.items() if name
        }
        return pa.schema((COLUMNS | others).items())

    def convert(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Convert rows, which have the columns that the layout reads.

        BadValue names the first bad value.
        """
        file = dict(zip(self.layout.read, batch.columns, strict=True))
        columns, wrong = dict[str, pa.Array](), list[BadValue]()
        for name, convert in self._conversions(file, columns, len(batch)):
            try:
                columns[name] = convert()
            except BadValue as error:
                wrong.append(error)
        if wrong:
            first = min(wrong, key=lambda error: error.row)
            # Each column reports only the first broken rule: an earlier row may break another one.
            self.convert(batch.slice(0, first.row))
            raise first
        return pa.RecordBatch.from_arrays(self._complete(columns, len(batch)), schema=self.schema)

    def _conversions(
        self, file: dict[int, pa.Array], columns: dict[str, pa.Array], rows: int
    ) -> Iterator[tuple[str, Callable[[], pa.Array]]]:
        """Yield each column's name and a function that converts it; `columns` has earlier ones."""
        for name, fill in self.layout.fills.items():
            arrays = [file[index] for index in fill.columns] or [_same(fill.value, rows)]
            yield name, partial(self._filled, name, arrays)
        for index, name in self.layout.others.items():
            field = self.schema.field(name) if name else None
            yield name, partial(_other, file[index], field, self.layout.headers[index])
        for name, code in self.layout.derived.items():
            if {code, "Flight_Date"} <= columns.keys():  # else one of them has a bad value
                yield name, partial(self._derived, name, columns)

    def _filled(self, name: str, arrays: list[pa.Array]) -> pa.Array:
        label = self.layout.label(name) or name
        if name == "Flight_Date":
            formats = ["YYYY-MM-DD"] if len(arrays) > 1 else self.layout.mapping.date_formats
            return values.dates(_date(arrays), label, formats)
        column = RULES[name][0](arrays[0], label)
        return self.namer.airports(column) if name in AIRPORTS else column

    def _derived(self, name: str, columns: dict[str, pa.Array]) -> pa.Array:
        codes = columns[CODES[name]]
        label = self.layout.label(CODES[name]) or CODES[name]
        refuse(codes, pc.is_null(codes), label, "is empty", values.TEXT_ADVICE)
        if name == "Airline_Name":
            return self.namer.airlines(codes, columns["Flight_Date"])
        return self.namer.cities(codes)

    def _complete(self, columns: dict[str, pa.Array], rows: int) -> list[pa.Array]:
        """Return all columns of the raw table; those that the file does not fill are null."""
        for group in self.layout.mapping.zero_is_missing:
            _clear_zeros(columns, [name for name in group if name in columns])
        columns["Has_Arrivals"] = _same("Arrival_Delay_Minutes" in columns, rows)
        return [
            columns[field.name] if field.name in columns else pa.nulls(rows, field.type)
            for field in self.schema
        ]

    def _check_type(self, column: str, index: int) -> None:
        kind = "date part" if len(self.layout.fills[column].columns) > 1 else KINDS[column]
        if self.types and not arrow_types.is_accepted(self.types[index], kind):
            problem = f"column {self.layout.headers[index]} is of type {self.types[index]}."
            raise BadColumns(problem, f"Store it as {arrow_types.ACCEPTED[kind][1]}.")

    def _stored_type(self, index: int) -> pa.DataType:
        type_ = self.types[index] if self.types else pa.string()
        if stored := arrow_types.stored_type(type_):
            return stored
        problem = f"column {self.layout.headers[index]} is of type {type_}."
        raise BadColumns(problem, f"Remove it, or store it as {arrow_types.STORABLE}.")


def _same(value: str | bool, rows: int) -> pa.Array:
    return pa.repeat(value, rows)


def _date(arrays: list[pa.Array]) -> pa.Array:
    """Join year, month and day."""
    if len(arrays) == 1:
        return arrays[0]
    parts = [values.texts(array, "") for array in arrays]
    padded = [pc.utf8_lpad(part, 2, "0") for part in parts]
    return pc.binary_join_element_wise(*padded, "-")


def _clear_zeros(columns: dict[str, pa.Array], group: list[str]) -> None:
    """Make the columns of a group null where all of them are 0."""
    zeros = [pc.fill_null(pc.equal(columns[name], 0), True) for name in group]
    if zeros:
        all_zero = reduce(pc.and_, zeros)
        for name in group:
            columns[name] = pc.if_else(all_zero, None, columns[name])


def _other(column: pa.Array, field: pa.Field | None, header: str) -> pa.Array:
    """Convert a column that the raw table keeps as it is."""
    if field is None:
        refuse(column, pc.is_valid(column), "", "is in a column without a name", NAME_ADVICE)
        return column
    if field.type == pa.string():
        return values.nfc(column.cast(pa.string()))
    problem = f"does not fit {field.type} exactly"
    return cast(column, field.type, header, problem, EXACT_ADVICE)
