USE CATALOG IDENTIFIER(:catalog);
USE SCHEMA IDENTIFIER(:schema);
-- Punctuality of the flights that leave each airport, and of those that go to it.
--
-- A flight has one outcome: cancelled, or else diverted, or else late (by 15 minutes or more at
-- arrival), or else on time. Without a usable flag, a flight with neither delay was cancelled. A
-- flight that was not cancelled and has no arrival delay counts as diverted. If a flight of a group
-- is from a source without arrivals, the group has no figures about arrivals.
--
-- Percentages are of scheduled flights. They and the averages are made as in airline_performance:
-- hundredths, rounded half away from zero in whole numbers.
--
-- Each late flight is divided among its causes by their minutes, in millionths. The sums are
-- divided by the scheduled flights of those months in which any flight has causes.
CREATE OR REPLACE TABLE performance_by_airport AS
WITH cause_months AS (
  SELECT DISTINCT CAST(date_trunc('MONTH', Flight_Date) AS DATE) AS Cause_Month
  FROM raw_flight_records
  WHERE greatest(
    Air_Carrier_Delay_Minutes,
    Extreme_Weather_Delay_Minutes,
    National_Aviation_System_Delay_Minutes,
    Security_Delay_Minutes,
    Late_Aircraft_Delay_Minutes
  ) > 0
),
outcomes AS (
  SELECT
    Flight_Date,
    CAST(date_trunc('MONTH', Flight_Date) AS DATE) AS Month,
    Airline_Code,
    trim(Airline_Name) AS Airline_Name,
    Flight_Number,
    Origin,
    trim(Origin_City) AS Origin_City,
    Destination,
    trim(Destination_City) AS Destination_City,
    Direction,
    CASE Direction WHEN 'departing' THEN Origin ELSE Destination END AS Airport,
    trim(CASE Direction WHEN 'departing' THEN Origin_City ELSE Destination_City END) AS City,
    CAST(substr(Scheduled_Departure, 1, 2) AS INT) AS Scheduled_Departure_Hour,
    coalesce(Has_Arrivals, true) AS Has_Arrivals,
    CASE
      WHEN coalesce(
        Cancelled, Departure_Delay_Minutes IS NULL AND Arrival_Delay_Minutes IS NULL
      ) THEN 'cancelled'
      WHEN Diverted OR Arrival_Delay_Minutes IS NULL THEN 'diverted'
      WHEN Arrival_Delay_Minutes >= 15 THEN 'late'
      ELSE 'on time'
    END AS Outcome,
    CAST(Departure_Delay_Minutes AS INT) AS Departure_Delay,
    CAST(Arrival_Delay_Minutes AS INT) AS Arrival_Delay,
    CASE WHEN Elapsed_Minutes IS NOT NULL THEN Scheduled_Minutes END AS Scheduled_Minutes,
    CASE WHEN Scheduled_Minutes IS NOT NULL THEN Elapsed_Minutes END AS Elapsed_Minutes,
    CAST(coalesce(Air_Carrier_Delay_Minutes, 0) AS BIGINT) AS Air_Carrier,
    CAST(coalesce(Extreme_Weather_Delay_Minutes, 0) AS BIGINT) AS Extreme_Weather,
    CAST(coalesce(National_Aviation_System_Delay_Minutes, 0) AS BIGINT) AS Aviation_System,
    CAST(coalesce(Security_Delay_Minutes, 0) AS BIGINT) AS Security,
    CAST(coalesce(Late_Aircraft_Delay_Minutes, 0) AS BIGINT) AS Late_Aircraft
  FROM raw_flight_records
  CROSS JOIN (VALUES ('departing'), ('arriving')) AS directions(Direction)
),
flights AS (
  SELECT
    *,
    CASE WHEN Outcome IN ('late', 'on time') THEN Arrival_Delay END AS Arrived,
    CASE WHEN Outcome = 'late' THEN
      nullif(greatest(
        Air_Carrier + Extreme_Weather + Aviation_System + Security + Late_Aircraft, 0
      ), 0)
    END AS Causes
  FROM outcomes
  LEFT JOIN cause_months ON Month = Cause_Month
  WHERE Airport IS NOT NULL AND Direction IS NOT NULL
),
totals AS (
  SELECT
    Airport,
    max_by(City, struct(Flight_Date, City)) AS City,
    Direction,
    count(*) AS Flights,
    CASE WHEN bool_and(Has_Arrivals) THEN count(*) END AS Known,
    CASE WHEN bool_and(Has_Arrivals) THEN
      count(*) FILTER (WHERE Outcome = 'on time')
    END AS On_Time,
    CASE WHEN bool_and(Has_Arrivals) THEN
      count(*) FILTER (WHERE Outcome = 'late')
    END AS Late,
    count(*) FILTER (WHERE Arrived >= 30) AS Late_30,
    count(*) FILTER (WHERE Arrived >= 60) AS Late_60,
    CASE WHEN bool_and(Has_Arrivals) THEN
      count(*) FILTER (WHERE Outcome = 'cancelled')
    END AS Cancelled,
    CASE WHEN bool_and(Has_Arrivals) THEN
      count(*) FILTER (WHERE Outcome = 'diverted')
    END AS Diverted,
    count(*) FILTER (WHERE Departure_Delay >= 15) AS Late_Departures,
    CAST(sum(Departure_Delay) AS BIGINT) AS Departure_Delay,
    count(Departure_Delay) AS Departures,
    CAST(sum(Arrived) AS BIGINT) AS Arrival_Delay,
    CASE WHEN bool_and(Has_Arrivals) THEN count(Arrived) END AS Arrivals,
    CASE WHEN bool_and(Has_Arrivals) THEN
      CAST(percentile_disc(0.5) WITHIN GROUP (ORDER BY Arrived) AS INT)
    END AS Median_Arrival_Delay,
    CASE WHEN bool_and(Has_Arrivals) THEN
      CAST(percentile_disc(0.9) WITHIN GROUP (ORDER BY Arrived) AS INT)
    END AS P90_Arrival_Delay,
    CAST(sum(Scheduled_Minutes) AS BIGINT) AS Scheduled_Minutes,
    CAST(sum(Elapsed_Minutes) AS BIGINT) AS Elapsed_Minutes,
    CASE WHEN bool_and(Has_Arrivals) THEN count(Elapsed_Minutes) END AS Timed,
    CASE WHEN bool_and(Has_Arrivals) THEN count(Cause_Month) END AS Cause_Flights,
    coalesce(CAST(sum((1000000 * Air_Carrier) DIV Causes) AS BIGINT), 0) AS Air_Carrier,
    coalesce(CAST(sum((1000000 * Extreme_Weather) DIV Causes) AS BIGINT), 0) AS Extreme_Weather,
    coalesce(CAST(sum((1000000 * Aviation_System) DIV Causes) AS BIGINT), 0) AS Aviation_System,
    coalesce(CAST(sum((1000000 * Security) DIV Causes) AS BIGINT), 0) AS Security,
    coalesce(CAST(sum((1000000 * Late_Aircraft) DIV Causes) AS BIGINT), 0) AS Late_Aircraft
  FROM flights
  GROUP BY Airport, Direction
),
measures AS (
  SELECT
    Airport,
    City,
    Direction,
    Flights AS Scheduled_Flights,
    On_Time AS On_Time_Arrivals,
    CAST((20000 * On_Time + Known) DIV (2 * Known) AS DOUBLE) / 100 AS On_Time_Percent,
    Late AS Late_Arrivals,
    CAST((20000 * Late + Known) DIV (2 * Known) AS DOUBLE) / 100 AS Late_Percent,
    CAST((20000 * Late_30 + Known) DIV (2 * Known) AS DOUBLE) / 100 AS Late_30_Percent,
    CAST((20000 * Late_60 + Known) DIV (2 * Known) AS DOUBLE) / 100 AS Late_60_Percent,
    Cancelled AS Cancelled_Flights,
    CAST((20000 * Cancelled + Known) DIV (2 * Known) AS DOUBLE) / 100 AS Cancelled_Percent,
    Diverted AS Diverted_Flights,
    CAST((20000 * Diverted + Known) DIV (2 * Known) AS DOUBLE) / 100 AS Diverted_Percent,
    CAST((20000 * Late_Departures + Flights) DIV (2 * Flights) AS DOUBLE) / 100
      AS Late_Departures_Percent,
    CAST((200 * Departure_Delay + CAST(sign(Departure_Delay) AS BIGINT) * Departures)
      DIV (2 * nullif(Departures, 0)) AS DOUBLE) / 100 AS Avg_Departure_Delay,
    CAST((200 * Arrival_Delay + CAST(sign(Arrival_Delay) AS BIGINT) * Arrivals)
      DIV (2 * nullif(Arrivals, 0)) AS DOUBLE) / 100 AS Avg_Arrival_Delay,
    Median_Arrival_Delay,
    P90_Arrival_Delay,
    CAST((200 * Scheduled_Minutes + CAST(sign(Scheduled_Minutes) AS BIGINT) * Timed)
      DIV (2 * nullif(Timed, 0)) AS DOUBLE) / 100 AS Avg_Scheduled_Minutes,
    CAST((200 * Elapsed_Minutes + CAST(sign(Elapsed_Minutes) AS BIGINT) * Timed)
      DIV (2 * nullif(Timed, 0)) AS DOUBLE) / 100 AS Avg_Elapsed_Minutes,
    CAST((2 * Air_Carrier + 100 * Cause_Flights)
      DIV (200 * nullif(Cause_Flights, 0)) AS DOUBLE) / 100 AS Air_Carrier_Percent,
    CAST((2 * Extreme_Weather + 100 * Cause_Flights)
      DIV (200 * nullif(Cause_Flights, 0)) AS DOUBLE) / 100 AS Extreme_Weather_Percent,
    CAST((2 * Aviation_System + 100 * Cause_Flights)
      DIV (200 * nullif(Cause_Flights, 0)) AS DOUBLE) / 100 AS National_Aviation_System_Percent,
    CAST((2 * Security + 100 * Cause_Flights)
      DIV (200 * nullif(Cause_Flights, 0)) AS DOUBLE) / 100 AS Security_Percent,
    CAST((2 * Late_Aircraft + 100 * Cause_Flights)
      DIV (200 * nullif(Cause_Flights, 0)) AS DOUBLE) / 100 AS Late_Aircraft_Percent
  FROM totals
)
SELECT *
FROM measures
ORDER BY Airport, Direction
