"""Databricks' names of the types of DuckDB and Arrow."""

import re

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as t

SQL = {
    "INTEGER": "INT",
    "REAL": "FLOAT",
    "VARCHAR": "STRING",
    "BLOB": "BINARY",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "JSON": "VARIANT",
    "INTERVAL": "INTERVAL DAY TO SECOND",
}
THRIFT = {
    pa.bool_(): t.TTypeId.BOOLEAN_TYPE,
    pa.int8(): t.TTypeId.TINYINT_TYPE,
    pa.int16(): t.TTypeId.SMALLINT_TYPE,
    pa.int32(): t.TTypeId.INT_TYPE,
    pa.int64(): t.TTypeId.BIGINT_TYPE,
    pa.float32(): t.TTypeId.FLOAT_TYPE,
    pa.float64(): t.TTypeId.DOUBLE_TYPE,
    pa.date32(): t.TTypeId.DATE_TYPE,
    pa.binary(): t.TTypeId.BINARY_TYPE,
    pa.timestamp("us"): t.TTypeId.TIMESTAMP_TYPE,
    pa.timestamp("us", "Etc/UTC"): t.TTypeId.TIMESTAMP_TYPE,
}


def sql(duckdb_type: str) -> str:
    """Return the SQL name of a DuckDB type in Databricks."""
    if duckdb_type.endswith("[]"):
        return f"ARRAY<{sql(duckdb_type[:-2])}>"
    if nested := re.fullmatch(r"(STRUCT|MAP)\((.*)\)", duckdb_type):
        return f"{nested[1]}<{nested[2]}>"
    return SQL.get(duckdb_type, duckdb_type)


def arrow(type_: pa.DataType) -> pa.DataType:
    """Return the Arrow type that Databricks sends where DuckDB sends `type_`."""
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", "Etc/UTC" if type_.tz else None)
    return pa.string() if pa.types.is_null(type_) else type_


def thrift(schema: pa.Schema) -> t.TTableSchema:
    """Describe the columns of an Arrow schema in Thrift."""
    columns = [
        t.TColumnDesc(
            columnName=field.name,
            typeDesc=t.TTypeDesc(types=[t.TTypeEntry(primitiveEntry=_primitive(field.type))]),
            position=position,
            comment="",
        )
        for position, field in enumerate(schema)
    ]
    return t.TTableSchema(columns=columns)


def _primitive(type_: pa.DataType) -> t.TPrimitiveTypeEntry:
    if not pa.types.is_decimal(type_):
        return t.TPrimitiveTypeEntry(type=THRIFT.get(type_, t.TTypeId.STRING_TYPE))
    sizes = {"precision": type_.precision, "scale": type_.scale}
    qualifiers = {name: t.TTypeQualifierValue(i32Value=size) for name, size in sizes.items()}
    return t.TPrimitiveTypeEntry(
        type=t.TTypeId.DECIMAL_TYPE, typeQualifiers=t.TTypeQualifiers(qualifiers)
    )
