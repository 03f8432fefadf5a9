"""Names that people use and that do not follow from the tables."""

from pathlib import Path

# Cities whose market has airports under the name of another city, as the DOT counts them.
MARKETS = {
    "New York, NY": ("Newark, NJ",),
    "Dallas/Fort Worth, TX": ("Dallas, TX",),
}
MARKET_OF = {city: market for market, cities in MARKETS.items() for city in cities}

CITY_NAMES = {
    "Chicago, IL": ("CHI",),
    "Dallas/Fort Worth, TX": ("DFW Metroplex",),
    "Las Vegas, NV": ("Vegas",),
    "Los Angeles, CA": ("LA", "L.A."),
    "New York, NY": ("NYC", "NY", "N.Y."),
    "Philadelphia, PA": ("Philly",),
    "San Francisco, CA": ("SF", "Frisco"),
    "Washington, DC": ("DC", "D.C.", "WAS"),
}

AIRLINE_NAMES = {
    "EV": ("ASA",),
    "FL": ("Air Tran",),
    "MQ": ("American Eagle",),
    "US": ("US Airways", "USAir", "US Air"),
    "VX": ("Virgin",),
}

AIRPORT_NAMES = {
    "ATL": ("Hartsfield", "Hartsfield Jackson"),
    "BOS": ("Logan", "Logan International"),
    "BWI": ("Thurgood Marshall",),
    "CVG": ("Northern Kentucky",),
    "DAL": ("Love Field",),
    "DCA": ("Reagan", "Reagan National", "Washington National", "National"),
    "EWR": ("Newark Liberty", "Newark Airport"),
    "HOU": ("Hobby",),
    "IAH": ("Bush", "George Bush", "Bush Intercontinental", "Houston Intercontinental"),
    "JFK": ("Kennedy", "JFK International", "John F. Kennedy"),
    "LAS": ("McCarran",),
    "LAX": ("LAX International",),
    "MSP": ("Minneapolis St. Paul", "Saint Paul"),
    "MSY": ("Louis Armstrong",),
    "PBI": ("West Palm Beach",),
    "PVD": ("T.F. Green",),
    "SEA": ("SeaTac", "Sea-Tac"),
    "SNA": ("John Wayne", "Orange County"),
}

LISTS = Path(__file__).parent / "lists"


def _words(file: str) -> frozenset[str]:
    return frozenset((LISTS / file).read_text().split())


# Words of sentences that are also codes or names: they count only in capitals, or alone.
ORDINARY = _words("ordinary_words.txt")
# Words that people use about flights. A typing error of a name does not look like these.
NOT_TYPOS = _words("words_of_questions.txt")
# "NY New York" is a line.
STATES = dict(line.split(" ", 1) for line in (LISTS / "states.txt").read_text().splitlines())
