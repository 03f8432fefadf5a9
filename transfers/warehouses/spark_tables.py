"""Tables of Spark as they are stored: their columns, and the keys of the rows that they have."""

import re
from collections.abc import Collection

import pyarrow as pa

from . import spark_sql as sql
from . import spark_versions as versions
from .spark_session import Session
from .spark_types import Columns

KEY = re.compile(r"airsense\.key\.(\w+)=")  # properties of a version: the appended keys


def create(session: Session, version: str, properties: str, query: str) -> None:
    session.execute(f"CREATE TABLE {sql.name(version)} USING parquet {properties} AS {query}")


def schema(session: Session, table: str) -> pa.Schema:
    return Columns.of(session.describe(sql.select("*", sql.name(table)))).schema


def keys(session: Session, version: str) -> set[str]:
    described = versions.describe(session, version)
    return set(KEY.findall(described.get("Table Properties", "")))


def properties(keys: Collection[str]) -> str:
    items = ", ".join(f"'airsense.key.{key}' = '1'" for key in sorted(keys))
    return f"TBLPROPERTIES ({items})" if items else ""
