"""The home page: a form for a traveller's flight, and what the published tables say."""
