"""The figures of `transfers.figures` in the SQL of DuckDB."""

from transfers.figures import Dialect

DIALECT = Dialect(
    canonical={
        "integer": "CAST({} AS VARCHAR)",
        "decimal": "CAST({} AS VARCHAR)",
        "float": "CASE WHEN isnan({0}) THEN 'NaN' WHEN {0} = 0 THEN '0'"
        " ELSE CAST(CAST(CAST({0} AS DOUBLE) AS BIT) AS VARCHAR) END",
        "text": "length({0}) || ':' || {0}",
        "boolean": "CAST(CAST({} AS INTEGER) AS VARCHAR)",
        "date": "CAST({} - DATE '1970-01-01' AS VARCHAR)",
        "timestamp": "CAST(epoch_us({}) AS VARCHAR)",
        "binary": "lower(hex({}))",
    },
    row_hash="CAST('0x' || substr(md5({}), 1, 15) AS BIGINT)",
    limit="{0}(CAST({1} AS VARCHAR) COLLATE C)",  # by bytes, whatever the collation of the column
    finite="isfinite({})",
    # DuckDB writes .5 for 0.5 if the type has no digit before the point.
    fraction=r"regexp_replace(CAST({0} AS VARCHAR), '^(-?)\.', '\10.')",
)
