"""Results of the connector's cursor.catalogs(), schemas(), tables() and columns()."""

import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from . import types
from .tables import Name, Tables


class Metadata:
    """Lists catalogs, schemas, tables and columns whose names match a request's patterns."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def catalogs(self, request: Any) -> pa.Table:
        return _table({"TABLE_CAT": sorted({catalog for catalog, _ in self._tables.schemas()})})

    def schemas(self, request: Any) -> pa.Table:
        matches = [
            (schema, catalog)
            for catalog, schema in self._tables.schemas()
            if _like(request.catalogName, catalog) and _like(request.schemaName, schema)
        ]
        return _rows(["TABLE_SCHEM", "TABLE_CATALOG"], matches)

    def tables(self, request: Any) -> pa.Table:
        titles = ["TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS"]
        return _rows(titles, [(*name, "TABLE", "") for name in self._matching_names(request)])

    def columns(self, request: Any) -> pa.Table:
        titles = ["TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME", "TYPE_NAME"]
        matches = [
            (*name, column, types.sql(type_))
            for name in self._matching_names(request)
            for column, type_ in self._tables.columns(name)
            if _like(request.columnName, column)
        ]
        return _rows(titles, matches)

    def _matching_names(self, request: Any) -> list[Name]:
        patterns = (request.catalogName, request.schemaName, request.tableName)
        return [
            name
            for name in self._tables.names()
            if all(_like(pattern, part) for pattern, part in zip(patterns, name, strict=True))
        ]


def _like(pattern: str | None, text: str) -> bool:
    """Whether a text matches a pattern of LIKE in any case; None matches every text."""
    parts = re.split(r"(%|(?<!\\)_)", pattern or "%")
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(p) or re.escape(p.replace(r"\_", "_")) for p in parts)
    return re.fullmatch(expression, text, re.I) is not None


def _rows(titles: list[str], rows: Iterable[tuple[str, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(titles)
    return _table({title: list(column) for title, column in zip(titles, columns, strict=True)})


def _table(columns: dict[str, list[str]]) -> pa.Table:
    return pa.table({title: pa.array(values, pa.string()) for title, values in columns.items()})
