"""The pages that everybody can open, for the tests and benchmarks that look at all of them."""

from datetime import date

from flights import links

JETBLUE, DELTA = links.airline("B6"), links.airline("DL")
PAGES = [
    *("/", "/explorer", "/explorer?table=flight_delay_data&view=chart", "/about"),
    *(links.search("boston"), links.ask("Which airline is most often on time?")),
    *(JETBLUE, links.airport("JFK"), links.route("EWR", "MCO"), links.flight("B6", "583")),
    *(links.day(date(2013, 2, 9)), links.connection("JFK", "ORD", "LAX", 45)),
    links.compare(JETBLUE, DELTA),
    *("/api/", "/api/delays_by_day/", "/api/flight_delay_data/?limit=100", "/connectors"),
]
# Interactive tools, which may be larger than a page.
TOOLS = ["/api/docs", "/api/redoc", "/api/graphiql"]
LARGEST = 150_000  # bytes of a page with its styles and scripts, as they are transferred
SLOWEST = 1.0  # seconds until a page has loaded
