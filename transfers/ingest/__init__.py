"""Read files of raw flight records, check them, and write them to the warehouse."""
