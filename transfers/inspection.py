"""The model that a table of the warehouse needs, as Python for flights/models/mirrored.py."""

import keyword
import re
from collections.abc import Iterator

import pyarrow as pa
from django.db import models

from flights.arrow_schema import TYPES

from .warehouses import Snapshot

WIDTH = 100
IMPORTS = """\
from django.db import models

from flights.mirror import {}
"""
CLASS = '''\
class {name}(MirroredTable):
    """{table} of the warehouse."""

{fields}

    mirror = Mirror(order=("{first}",))

    class Meta(MirroredTable.Meta):
        db_table = "{table}"
        verbose_name = verbose_name_plural = "{title}"
'''
# What a model or a mirrored table has already.
TAKEN = {"id", "pk", "objects", "mirror", "columns", "check", "clean", "delete", "save"}


def model(table: str, source: Snapshot) -> str:
    """A module with the class of a table. A column may be null where it holds a null now."""
    fits = [field for field in source.schema if _field(field.type)]
    figures = source.figures(pa.schema(fits), [field.name for field in fits])
    filled = {f.name for f in fits if figures[f"{f.name} values"] == figures["rows"]}
    comments = source.comments()
    names = _attributes(source.schema.names)
    lines = [
        _line(names[f.name], f, null=f.name not in filled, label=comments.get(f.name, ""))
        for f in source.schema
    ]
    first = next((names[field.name] for field in fits), "")
    local = "LocalDateTimeField, " * any(f.type == pa.timestamp("us") for f in fits)
    words = table.replace("_", " ")
    made = CLASS.format(
        name=re.sub(r"\W", "", words.title()),
        table=table,
        fields="\n".join(lines),
        first=first,
        title=words,
    )
    return f"{IMPORTS.format(f'{local}Mirror, MirroredTable')}\n\n{made}"


def _line(attribute: str, column: pa.Field, *, null: bool, label: str) -> str:
    call = _field(column.type)
    if not call:
        return f"    # {column.name} is {column.type}, which cannot be transferred."
    name, options = call
    given = [*options, f"db_column={_text(column.name)}"]
    given += ["null=True"] if null else []
    given += [f"help_text={_text(label)}"] if label else []
    line = f"    {attribute} = {name}({', '.join(given)})"
    if len(line) <= WIDTH:
        return line
    broken = "".join(f"        {argument},\n" for argument in given)
    return f"    {attribute} = {name}(\n{broken}    )"


def _field(type_: pa.DataType) -> tuple[str, list[str]] | None:
    """The class of field that holds all values of a type, and what it must be given."""
    if pa.types.is_decimal(type_):
        sizes = [f"max_digits={type_.precision}", f"decimal_places={type_.scale}"]
        return "models.DecimalField", sizes
    wider = {pa.int8(): pa.int16(), pa.float32(): pa.float64(), pa.large_string(): pa.string()}
    wanted = wider.get(type_, type_)
    found = [field for field, arrow in TYPES.items() if arrow == wanted]
    if not found:
        return None
    name = found[0].__name__
    return f"models.{name}" if getattr(models, name, None) else name, []


def _attributes(columns: list[str]) -> dict[str, str]:
    """A Python name that Django takes for each column."""
    names: dict[str, str] = {}
    for column in columns:
        words = re.sub(r"\W|_+", "_", column.lower())
        name = re.sub(r"__+", "_", words).strip("_")
        if not name or name[0].isdigit() or keyword.iskeyword(name) or name in TAKEN:
            name = f"column_{name}".rstrip("_")
        names[column] = next(n for n in _numbered(name) if n not in names.values())
    return names


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
