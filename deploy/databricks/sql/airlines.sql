USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- The airlines of all flights, with the latest name of each code.
CREATE OR REPLACE TABLE airlines AS
SELECT
  Airline_Code,
  max_by(Airline_Name, struct(Flight_Date, Airline_Name)) AS Airline_Name
FROM flight_delay_data
WHERE Airline_Code IS NOT NULL
GROUP BY Airline_Code
ORDER BY Airline_Code
