USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- How many flights left and reached each city late, and how late. Flights on time or early do not
-- count; a city without late departures (or arrivals) has 0 for them. Averages are made as in
-- airline_performance, but here no delay is negative.
CREATE OR REPLACE TABLE busiest_airports_by_delays AS
WITH departures AS (
  SELECT
    Origin_City AS City,
    CAST(sum(Departure_Delay_Minutes) AS BIGINT) AS Delay,
    count(*) AS Flights
  FROM flight_delay_data
  WHERE Departure_Delay_Minutes > 0
  GROUP BY Origin_City
),
arrivals AS (
  SELECT
    Destination_City AS City,
    CAST(sum(Arrival_Delay_Minutes) AS BIGINT) AS Delay,
    count(*) AS Flights
  FROM flight_delay_data
  WHERE Arrival_Delay_Minutes > 0
  GROUP BY Destination_City
),
cities AS (
  SELECT
    coalesce(departures.City, arrivals.City) AS City,
    coalesce(departures.Delay, 0) AS Departure_Delay,
    coalesce(departures.Flights, 0) AS Departures,
    coalesce((200 * departures.Delay + departures.Flights) DIV (2 * departures.Flights), 0)
      AS Departure_Hundredths,
    coalesce(arrivals.Delay, 0) AS Arrival_Delay,
    coalesce(arrivals.Flights, 0) AS Arrivals,
    coalesce((200 * arrivals.Delay + arrivals.Flights) DIV (2 * arrivals.Flights), 0)
      AS Arrival_Hundredths
  FROM departures
  FULL OUTER JOIN arrivals ON departures.City = arrivals.City
)
SELECT
  City,
  Departure_Delay AS Total_Departure_Delay,
  Departures AS Total_Departures,
  CAST(Departure_Hundredths AS DOUBLE) / 100 AS Avg_Departure_Delay,
  Arrival_Delay AS Total_Arrival_Delay,
  Arrivals AS Total_Arrivals,
  CAST(Arrival_Hundredths AS DOUBLE) / 100 AS Avg_Arrival_Delay,
  CAST(Departure_Hundredths + Arrival_Hundredths AS DOUBLE) / 100 AS Total_Avg_Delay
FROM cities
ORDER BY Total_Avg_Delay DESC, City
