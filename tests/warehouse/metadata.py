"""What the connector's cursor.catalogs(), schemas(), tables() and columns() are answered."""

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from . import types
from .tables import Name, Tables


class Metadata:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def catalogs(self, request: Any) -> pa.Table:
        return _table({"TABLE_CAT": sorted({catalog for catalog, _ in self._tables.schemas()})})

    def schemas(self, request: Any) -> pa.Table:
        found = [
            (schema, catalog)
            for catalog, schema in self._tables.schemas()
            if _like(request.catalogName, catalog) and _like(request.schemaName, schema)
        ]
        return _rows(["TABLE_SCHEM", "TABLE_CATALOG"], found)

    def tables(self, request: Any) -> pa.Table:
        titles = ["TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS"]
        return _rows(titles, [(*name, "TABLE", "") for name in self._named(request)])

    def columns(self, request: Any) -> pa.Table:
        titles = ["TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME", "TYPE_NAME"]
        found = [
            (*name, column, types.sql(type_))
            for name in self._named(request)
            for column, type_ in self._tables.columns(name)
            if _like(request.columnName, column)
        ]
        return _rows(titles, found)

    def _named(self, request: Any) -> list[Name]:
        asked = (request.catalogName, request.schemaName, request.tableName)
        return [
            name
            for name in self._tables.names()
            if all(_like(pattern, part) for pattern, part in zip(asked, name, strict=True))
        ]


def _like(pattern: str | None, text: str) -> bool:
    parts = re.split(r"(%|(?<!\\)_)", pattern or "%")
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(p) or re.escape(p.replace(r"\_", "_")) for p in parts)
    return re.fullmatch(expression, text, re.I) is not None


def _rows(titles: list[str], rows: Iterable[tuple[str, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    return _table({title: list(column) for title, column in zip(titles, columns, strict=True)})


def _table(columns: dict[str, list[str]]) -> pa.Table:
    return pa.table({title: pa.array(values, pa.string()) for title, values in columns.items()})
