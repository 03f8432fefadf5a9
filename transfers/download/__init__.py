"""Monthly files of flight records, downloaded from the US Department of Transportation (DOT)."""
