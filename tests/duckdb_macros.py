"""SQL functions of DuckDB that compute figures as AirSense defines them."""

MACROS = """
-- In hundredths, half up, in whole numbers.
CREATE MACRO percent(condition) AS
  (20000 * count_if(condition) + count(*)) // (2 * count(*)) / 100;
-- The smallest value that at least so many percent of the values do not exceed.
CREATE MACRO disc(p, minutes) AS
  list_sort(list(minutes) FILTER (minutes IS NOT NULL))[(p * count(minutes) + 99) // 100];
"""
