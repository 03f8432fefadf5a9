USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- One record for each scheduled flight, cleaned.
CREATE OR REPLACE TABLE flight_delay_data AS
SELECT
  CAST(Flight_Date AS DATE) AS Flight_Date,
  trim(Airline_Name) AS Airline_Name,
  trim(Origin_City) AS Origin_City,
  trim(Destination_City) AS Destination_City,
  CAST(Departure_Delay_Minutes AS INT) AS Departure_Delay_Minutes,
  CAST(Arrival_Delay_Minutes AS INT) AS Arrival_Delay_Minutes,
  Airline_Code,
  Flight_Number,
  Tail_Number,
  Origin,
  Destination,
  date_format(Flight_Date, 'EEEE') AS Day_of_Week,
  Scheduled_Departure,
  Scheduled_Arrival,
  CAST(substr(Scheduled_Departure, 1, 2) AS INT) AS Scheduled_Departure_Hour,
  Cancelled,
  Diverted,
  Cancellation_Reason,
  Taxi_Out_Minutes,
  Taxi_In_Minutes,
  Scheduled_Minutes,
  Elapsed_Minutes,
  Air_Minutes,
  Distance_Miles,
  Air_Carrier_Delay_Minutes,
  Extreme_Weather_Delay_Minutes,
  National_Aviation_System_Delay_Minutes,
  Security_Delay_Minutes,
  Late_Aircraft_Delay_Minutes
FROM raw_flight_records
