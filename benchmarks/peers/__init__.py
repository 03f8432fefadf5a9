"""Other systems to compare AirSense with, configured as their documentation shows."""
