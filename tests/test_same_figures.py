"""The same figure reads the same on every page, as the API gives it: with two decimals."""

import re
from html import unescape
from urllib.parse import quote

import pytest
import requests

from tests.platform import Platform, Site

EWR_MCO = "Origin=EWR&Destination=MCO"
AGGREGATE = "sum:Scheduled_Flights,percent:On_Time_Arrivals/Scheduled_Flights"
API = f"/api/performance_by_route/?{EWR_MCO}&aggregate={AGGREGATE}"
EXPLORER = f"/explorer?table=performance_by_route&{EWR_MCO}&aggregate={AGGREGATE}"
ON_TIME = {
    "/routes/": "Newark (EWR) to Orlando (MCO) 4,941 {} %",
    "/routes/EWR-MCO/": "{} % on time less than 15 minutes late",
    "/airports/EWR/": "Orlando (MCO) 4,941 {} %",
    "/compare/?a=EWR-MCO&b=JFK-MCO": "{} % of 4,941 flights from Newark (EWR)",
    "/my-flight?from=New+York&to=Orlando": "{} % of 4,941 flights arrived on time.",
    f"/ask?q={quote('on time from EWR to MCO')}": "{} % of 4,941 flights",
    f"{EXPLORER}&group_by=Origin": "EWR 4,941 {}",
    EXPLORER.replace("sum:Scheduled_Flights,", "") + "&group_by=Origin&view=chart": "EWR {} 4,941",
}
HEADER = (
    "Flight_Date,Airline_Name,Airline_Code,Flight_Number,Origin,Destination,Origin_City,"
    "Destination_City,Departure_Delay_Minutes,Arrival_Delay_Minutes"
)
FIRST = "/connections/?from=AAA&via=ZZZ&to=AAA"


@pytest.mark.parametrize("path", ON_TIME)
def test_a_page_writes_a_percentage_as_the_api_gives_it(site: Site, path: str) -> None:
    (row,) = site.get(API).json()["results"]
    percent = row["percent_On_Time_Arrivals_of_Scheduled_Flights"]
    assert ON_TIME[path].format(percent) in _text(site, path)


def test_a_page_rounds_the_share_that_it_computes_only_once(site: Site) -> None:
    """30 of 5,464 flights are 0.549 %, which the API gives as 0.55."""
    assert "0.55 % cancelled 30 of 5,464 flights" in _text(site, "/routes/JFK-MCO/")
    assert "0.55 %" in _text(site, "/compare/?a=JFK-MCO&b=EWR-MCO")


def test_a_citation_writes_its_values_as_the_page(site: Site) -> None:
    url = f"{site.url}/routes/EWR-MCO/"
    response = requests.post(url, {"figure": "months"}, allow_redirects=False, timeout=30)
    cited = _table(site.get(response.headers["Location"]).body.decode())
    assert "Jan 2013" in cited
    assert cited in _table(site.get("/routes/EWR-MCO/").body.decode())


def test_half_a_hundredth_is_rounded_as_the_api_rounds_it(fresh: Platform) -> None:
    """1 of 800 flights is 0.125 %."""
    where = [("AAA", "ZZZ", 60 if n == 1 else 0) for n in range(800)]
    lines = [
        f"2013-01-{1 + n % 28:02},Any,A1,7,{a},{z},{a},{z},{f'{late},{late}' if n else ','}"
        for n, (a, z, late) in enumerate([*where, ("ZZZ", "AAA", 0)])
    ]
    fresh.warehouse.mkdir(parents=True, exist_ok=True)
    (file := fresh.warehouse / "coded.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    for command in (["ingest", "--replace", str(file)], ["broker"], ["transfer", "--all"]):
        fresh.manage(*command)
    with fresh.site(processes=1) as site:
        share = "share:Arrival_Delay_Minutes__isnull:true"
        (row,) = site.get(f"/api/flight_delay_data/?Origin=AAA&aggregate={share}").json()["results"]
        assert list(row.values()) == [0.13]
        assert "0.13 % cancelled 1 of 800 flights" in _text(site, "/routes/AAA-ZZZ/")
        assert "0.13 % first flight cancelled or diverted" in _text(site, FIRST)


def _text(site: Site, path: str) -> str:
    """The text of a page, with each value before its label as displayed."""
    body = site.get(path).body.decode()
    return _plain(re.sub(r"<dt>(.*?)</dt><dd>(.*?)</dd>", r"\2 \1", body))


def _table(body: str) -> str:
    """The text of the rows of months of a page."""
    return " ".join(map(_plain, re.findall(r"<tr><td>\w{3} 2013</td>.*?</tr>", body, re.DOTALL)))


def _plain(body: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", body)))
