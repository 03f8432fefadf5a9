"""The mirrored tables, one class for each. The help texts are the descriptions of the columns."""

from .averages import AirlinePerformance, BusiestAirportsByDelays, DelaysByDay
from .flight_delay_data import FlightDelayData
from .lists import Airlines, Airports
from .performance import (
    PerformanceByAirport,
    PerformanceByDate,
    PerformanceByFlight,
    PerformanceByHour,
    PerformanceByMonth,
    PerformanceByRoute,
)

__all__ = [
    "AirlinePerformance",
    "Airlines",
    "Airports",
    "BusiestAirportsByDelays",
    "DelaysByDay",
    "FlightDelayData",
    "PerformanceByAirport",
    "PerformanceByDate",
    "PerformanceByFlight",
    "PerformanceByHour",
    "PerformanceByMonth",
    "PerformanceByRoute",
]
