"""Write the Django model for a table of the warehouse, as Python source code."""

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
# Names of attributes that every model or mirrored table has.
RESERVED = {"id", "pk", "objects", "mirror", "columns", "check", "clean", "delete", "save"}


def model(table: str, source: Snapshot) -> str:
    """Return a module with the class of a table. Columns with a null now get `null=True`."""
    supported = [field for field in source.schema if _field(field.type)]
    figures = source.figures(pa.schema(supported), [field.name for field in supported])
    not_null = {f.name for f in supported if figures[f"{f.name} values"] == figures["rows"]}
    comments = source.comments()
    names = _attributes(source.schema.names)
    lines = [
        _line(names[f.name], f, null=f.name not in not_null, label=comments.get(f.name, ""))
        for f in source.schema
    ]
    first = next((names[field.name] for field in supported), "")
    local = "LocalDateTimeField, " * any(f.type == pa.timestamp("us") for f in supported)
    words = table.replace("_", " ")
    code = CLASS.format(
        name=re.sub(r"\W", "", words.title()),
        table=table,
        fields="\n".join(lines),
        first=first,
        title=words,
    )
    return f"{IMPORTS.format(f'{local}Mirror, MirroredTable')}\n\n{code}"


def _line(attribute: str, column: pa.Field, *, null: bool, label: str) -> str:
    """Write one field of the class."""
    field = _field(column.type)
    if not field:
        return f"    # {column.name} is {column.type}, a type that transfers do not support."
    name, options = field
    arguments = [*options, f"db_column={_text(column.name)}"]
    arguments += ["null=True"] if null else []
    arguments += [f"help_text={_text(label)}"] if label else []
    line = f"    {attribute} = {name}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    broken = "".join(f"        {argument},\n" for argument in arguments)
    return f"    {attribute} = {name}(\n{broken}    )"


def _field(type_: pa.DataType) -> tuple[str, list[str]] | None:
    """Return the class of field for a type, and its required arguments; None if there is none."""
    if pa.types.is_decimal(type_):
        sizes = [f"max_digits={type_.precision}", f"decimal_places={type_.scale}"]
        return "models.DecimalField", sizes
    wider = {pa.int8(): pa.int16(), pa.float32(): pa.float64(), pa.large_string(): pa.string()}
    wanted = wider.get(type_, type_)
    fields = [field for field, arrow in TYPES.items() if arrow == wanted]
    if not fields:
        return None
    name = fields[0].__name__
    return f"models.{name}" if getattr(models, name, None) else name, []


def _attributes(columns: list[str]) -> dict[str, str]:
    """Return a unique Python name for each column, which Django accepts as a field's name."""
    names: dict[str, str] = {}
    for column in columns:
        words = re.sub(r"\W|_+", "_", column.lower())
        name = re.sub(r"__+", "_", words).strip("_")
        if not name or name[0].isdigit() or keyword.iskeyword(name) or name in RESERVED:
            name = f"column_{name}".rstrip("_")
        names[column] = next(n for n in _numbered(name) if n not in names.values())
    return names


def _numbered(name: str) -> Iterator[str]:
    """Yield the name, then name_2, name_3 and so on."""
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
