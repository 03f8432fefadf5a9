"""The columns of the raw table, in order: every flight record has them, whatever file it is from.

Every source can fill the columns of `REQUIRED`; a delay may be null.
A column that a file does not have is null. Times are local.
"""

import pyarrow as pa

REQUIRED = {
    "Flight_Date": pa.date32(),
    "Airline_Name": pa.string(),
    "Origin_City": pa.string(),
    "Destination_City": pa.string(),
    "Departure_Delay_Minutes": pa.int32(),
    "Arrival_Delay_Minutes": pa.int32(),
}

COLUMNS = REQUIRED | {
    "Airline_Code": pa.string(),
    "Flight_Number": pa.string(),
    "Tail_Number": pa.string(),
    "Origin": pa.string(),  # airport code
    "Destination": pa.string(),
    "Scheduled_Departure": pa.string(),  # "HH:MM", 00:00 to 23:59
    "Scheduled_Arrival": pa.string(),
    "Cancelled": pa.bool_(),
    "Diverted": pa.bool_(),
    # "carrier", "weather", "national aviation system" or "security"
    "Cancellation_Reason": pa.string(),
    "Taxi_Out_Minutes": pa.int32(),
    "Taxi_In_Minutes": pa.int32(),
    "Scheduled_Minutes": pa.int32(),
    "Elapsed_Minutes": pa.int32(),
    "Air_Minutes": pa.int32(),
    "Distance_Miles": pa.int32(),
    "Air_Carrier_Delay_Minutes": pa.int32(),
    "Extreme_Weather_Delay_Minutes": pa.int32(),
    "National_Aviation_System_Delay_Minutes": pa.int32(),
    "Security_Delay_Minutes": pa.int32(),
    "Late_Aircraft_Delay_Minutes": pa.int32(),
    # False if the file has no column of arrival delays: the outcome of a flight is unknown then.
    "Has_Arrivals": pa.bool_(),
}

TIMES = ("Scheduled_Departure", "Scheduled_Arrival")
