"""The figures of `transfers.figures` in the SQL of Databricks and Spark.

The text of a decimal depends on ANSI mode, and the texts of times on the session's time zone:
`spark_settings` sets and checks both.
"""

from transfers.figures import Dialect

# The 63 bits of a finite double without its sign, as an integer (IEEE 754). Spark has no function
# for this. A double is m * 2^g with 1 <= m < 2, or m < 1 for subnormal numbers, whose g is -1022.
# Its bits are g + 1022 times 2^52, plus m times 2^52. log2 may be wrong by one, so m can be twice
# or half of what it should be, and `b` corrects it; all other steps are exact. The result is unused
# for 0 and for values that are not finite, but the SQL must not fail for them.
#
# Each step is a query of its own. Inside one expression, `m` would be written, and computed, four
# times: the text grew by a factor of 17, and the time by one of 6.
FLOAT_STEPS = {
    "s": "CASE WHEN {0} - {0} = 0 AND {0} <> 0 THEN abs(CAST({0} AS DOUBLE)) ELSE 1e0 END",
    "g": "least(greatest(CAST(floor(log2({s})) AS INT), -1022), 1023)",
    "m": "{s} / power(2e0, {g})",
    "b": "CASE WHEN {m} >= 2 THEN CAST({m} / 2 * 4503599627370496e0 AS BIGINT)"
    " + ({g} + 1023) * 4503599627370496"
    " WHEN {m} < 1 AND {g} > -1022 THEN CAST({m} * 2 * 4503599627370496e0 AS BIGINT)"
    " + ({g} + 1021) * 4503599627370496"
    " ELSE CAST({m} * 4503599627370496e0 AS BIGINT) + ({g} + 1022) * 4503599627370496 END",
}
INFINITE = "11111111111" + "0" * 52

DIALECT = Dialect(
    canonical={
        "integer": "CAST({0} AS STRING)",
        "decimal": "CAST({0} AS STRING)",
        "float": "CASE WHEN {0} IS NULL THEN NULL WHEN isnan({0}) THEN 'NaN' WHEN {0} = 0 THEN '0'"
        " ELSE concat(CASE WHEN {0} < 0 THEN '1' ELSE '0' END, CASE WHEN {0} - {0} = 0"
        f" THEN lpad(bin({{b}}), 63, '0') ELSE '{INFINITE}' END) END",
        # As BINARY, because the collations of two columns may not meet in one text.
        "text": "concat(length({0}), ':', CAST(CAST({0} AS BINARY) AS STRING))",
        "boolean": "CAST(CAST({0} AS INT) AS STRING)",
        "date": "CAST(unix_date({0}) AS STRING)",
        "timestamp": "CAST(unix_micros(CAST({0} AS TIMESTAMP)) AS STRING)",
        "binary": "lower(hex({0}))",
    },
    # DECIMAL, because sums of BIGINT overflow.
    row_hash="CAST(conv(substr(md5({}), 1, 15), 16, 10) AS DECIMAL(20, 0))",
    whole="CAST({} AS DECIMAL(20, 0))",
    # As BINARY, because min and max of a text follow the collation of its column.
    limit="CAST({0}(CAST({1} AS BINARY)) AS STRING)",
    finite="{0} - {0} = 0",
    steps=FLOAT_STEPS,
    text_type="STRING",
    quote="`",
)
