USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- The airports of all flights, with the latest city of each code. airport_list is the list of
-- airports that the project contains.
CREATE OR REPLACE TABLE airports AS
WITH ends AS (
  SELECT Flight_Date, Origin AS Airport, Origin_City AS City
  FROM flight_delay_data
  UNION ALL
  SELECT Flight_Date, Destination AS Airport, Destination_City AS City
  FROM flight_delay_data
),
latest AS (
  SELECT
    Airport,
    max_by(City, struct(Flight_Date, City)) AS City
  FROM ends
  WHERE Airport IS NOT NULL
  GROUP BY Airport
)
SELECT
  Airport,
  Name AS Airport_Name,
  latest.City AS City,
  State,
  Latitude,
  Longitude,
  Time_Zone
FROM latest
LEFT JOIN airport_list ON Airport = Code
ORDER BY Airport
