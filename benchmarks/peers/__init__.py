"""Other systems, as their documentation shows them, beside which AirSense is measured."""
