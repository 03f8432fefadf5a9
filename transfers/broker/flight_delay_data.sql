-- One record for each scheduled flight, cleaned.
CREATE OR REPLACE TABLE flight_delay_data AS
SELECT
  CAST(Flight_Date AS DATE) AS Flight_Date,
  trim(Airline_Name) AS Airline_Name,
  trim(Origin_City) AS Origin_City,
  trim(Destination_City) AS Destination_City,
  CAST(Departure_Delay_Minutes AS INT) AS Departure_Delay_Minutes,
  CAST(Arrival_Delay_Minutes AS INT) AS Arrival_Delay_Minutes
FROM raw_flight_records
