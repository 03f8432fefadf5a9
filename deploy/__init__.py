"""What a machine needs besides the code."""
