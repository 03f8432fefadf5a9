USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- How late flights are on average on each day of the week, Monday first. Averages are made as in
-- airline_performance.
CREATE OR REPLACE TABLE delays_by_day AS
WITH totals AS (
  SELECT
    date_format(Flight_Date, 'EEEE') AS Day_of_Week,
    CAST(sum(Departure_Delay_Minutes) AS BIGINT) AS Departure_Delay,
    count(Departure_Delay_Minutes) AS Departures,
    CAST(sum(Arrival_Delay_Minutes) AS BIGINT) AS Arrival_Delay,
    count(Arrival_Delay_Minutes) AS Arrivals,
    count(*) AS Total_Flights
  FROM flight_delay_data
  GROUP BY date_format(Flight_Date, 'EEEE')
),
hundredths AS (
  SELECT
    Day_of_Week,
    (200 * Departure_Delay + CAST(sign(Departure_Delay) AS BIGINT) * Departures)
      DIV (2 * nullif(Departures, 0)) AS Departure,
    (200 * Arrival_Delay + CAST(sign(Arrival_Delay) AS BIGINT) * Arrivals)
      DIV (2 * nullif(Arrivals, 0)) AS Arrival,
    Total_Flights
  FROM totals
)
SELECT
  Day_of_Week,
  CAST(Departure AS DOUBLE) / 100 AS Avg_Departure_Delay,
  CAST(Arrival AS DOUBLE) / 100 AS Avg_Arrival_Delay,
  Total_Flights
FROM hundredths
ORDER BY array_position(
  array('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'), Day_of_Week
)
