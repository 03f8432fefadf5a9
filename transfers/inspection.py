"""Write the Python of a model for a warehouse table, to paste into flights/models/mirrored/."""

import keyword
import re
from collections.abc import Iterator

import pyarrow as pa
from django.db import models

from flights.arrow_schema import TYPES
from flights.mirror import MirroredTable

from .warehouses import Snapshot
from .warehouses.spark_sql import parts

WIDTH = 100
IMPORTS = """\
from django.db import models

from flights.mirror import {}
"""
CLASS = '''\
class {name}(MirroredTable):
    """{table} of the warehouse."""

{fields}

    mirror = Mirror(order=("{first}",){options})

    class Meta(MirroredTable.Meta):
        db_table = "{table}"
        verbose_name = verbose_name_plural = "{title}"
'''
# Warehouse types that have no field of their own are stored in the next wider type.
WIDER = {pa.int8(): pa.int16(), pa.float32(): pa.float64(), pa.large_string(): pa.string()}


def model(table: str, source: Snapshot, *, pinned: bool = True) -> str:
    """Return a Python module with the model class of a warehouse table, which can be a path.

    Reads the table once: a column is declared `null=True` if it holds a null now. A column whose
    type cannot be transferred becomes a comment.
    """
    names = _attributes(source.schema.names)
    comments = source.comments()
    never_null = _columns_without_nulls(source)
    lines = [
        _line(names[f.name], f, null=f.name not in never_null, label=comments.get(f.name, ""))
        for f in source.schema
    ]
    first = next((names[field.name] for field in source.schema if _field(field.type)), "")
    local = "LocalDateTimeField, " * any(f.type == pa.timestamp("us") for f in source.schema)
    name = _public(parts(table)[-1])
    title = name.replace("_", " ")
    options = "" if name == table else f", source={_literal(table)}"
    text = CLASS.format(
        name=_class_name(title),
        table=name,
        options=options + ", pinned=False" * (not pinned),
        fields="\n".join(lines),
        first=first,
        title=title,
    )
    return f"{IMPORTS.format(f'{local}Mirror, MirroredTable')}\n\n{text}"


def _class_name(title: str) -> str:
    """A class name that Python accepts."""
    name = re.sub(r"\W", "", title.title())
    is_valid = name.isidentifier() and not keyword.iskeyword(name)
    return name if is_valid else f"Table{name}"


def _columns_without_nulls(source: Snapshot) -> set[str]:
    """Names of the transferable columns that have a value in every row."""
    columns = [field for field in source.schema if _field(field.type)]
    names = [field.name for field in columns]
    figures = source.figures(pa.schema(columns), names)
    return {name for name in names if figures[f"{name} values"] == figures["rows"]}


def _line(attribute: str, column: pa.Field, *, null: bool, label: str) -> str:
    """The line of a class body that declares one column."""
    field = _field(column.type)
    if not field:
        return (
            f"    # {column.name} is {column.type!s:.50}. To carry it as JSON, declare a TextField"
            " and name it in Mirror.json."
        )
    class_name, options = field
    arguments = [*options, f"db_column={_literal(_public(column.name))}"]
    arguments += ["null=True"] if null else []
    arguments += [f"help_text={_literal(label)}"] if label else []
    line = f"    {attribute} = {class_name}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    broken = "".join(f"        {argument},\n" for argument in arguments)
    return f"    {attribute} = {class_name}(\n{broken}    )"


def _field(type_: pa.DataType) -> tuple[str, list[str]] | None:
    """The name and the options of the field class for an Arrow type; None if there is none."""
    if pa.types.is_decimal(type_):
        sizes = [f"max_digits={type_.precision}", f"decimal_places={type_.scale}"]
        return "models.DecimalField", sizes
    stored = WIDER.get(type_, type_)
    name = next((field.__name__ for field, arrow in TYPES.items() if arrow == stored), None)
    if name is None:
        return None
    return f"models.{name}" if hasattr(models, name) else name, []


def _public(name: str) -> str:
    """A name that queries can use; the warehouse's name matches it."""
    return re.sub(r"\W", "_", name)


def _attributes(columns: list[str]) -> dict[str, str]:
    """Map each column to a unique attribute name that Python and Django accept."""
    names: dict[str, str] = {}
    for column in columns:
        name = re.sub(r"[\W_]+", "_", column.lower()).strip("_")
        if not name or name[0].isdigit() or keyword.iskeyword(name) or _is_taken(name):
            name = f"column_{name}".rstrip("_")
        names[column] = next(n for n in _numbered(name) if n not in names.values())
    return names


def _is_taken(name: str) -> bool:
    """Whether every mirrored table already has an attribute of this name."""
    return name in ("id", "objects", "mirror") or hasattr(MirroredTable, name)


def _numbered(name: str) -> Iterator[str]:
    """`name`, `name_2`, `name_3`, ..."""
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _literal(value: str) -> str:
    """A Python string literal on one line."""
    line = re.sub(r"[\r\n]+", " ", value)
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
