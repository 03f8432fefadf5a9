USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- How late each airline is on average, over all its flights. A flight without a delay (a cancelled
-- one) counts in Total_Flights, not in the averages.
--
-- Averages are hundredths of a minute, rounded half away from zero in whole numbers: every
-- warehouse then gives the same, which rounding floating-point numbers does not.
CREATE OR REPLACE TABLE airline_performance AS
WITH totals AS (
  SELECT
    Airline_Name,
    CAST(sum(Departure_Delay_Minutes) AS BIGINT) AS Departure_Delay,
    count(Departure_Delay_Minutes) AS Departures,
    CAST(sum(Arrival_Delay_Minutes) AS BIGINT) AS Arrival_Delay,
    count(Arrival_Delay_Minutes) AS Arrivals,
    count(*) AS Total_Flights
  FROM flight_delay_data
  GROUP BY Airline_Name
),
hundredths AS (
  SELECT
    Airline_Name,
    (200 * Departure_Delay + CAST(sign(Departure_Delay) AS BIGINT) * Departures)
      DIV (2 * nullif(Departures, 0)) AS Departure,
    (200 * Arrival_Delay + CAST(sign(Arrival_Delay) AS BIGINT) * Arrivals)
      DIV (2 * nullif(Arrivals, 0)) AS Arrival,
    Total_Flights
  FROM totals
)
SELECT
  Airline_Name,
  CAST(Departure AS DOUBLE) / 100 AS Avg_Departure_Delay,
  CAST(Arrival AS DOUBLE) / 100 AS Avg_Arrival_Delay,
  Total_Flights
FROM hundredths
ORDER BY Avg_Arrival_Delay, Avg_Departure_Delay, Airline_Name
