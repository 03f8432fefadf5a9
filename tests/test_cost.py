"""Expensive queries share a few slots or are refused; cheap ones need no slot."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from flights.query.shared_slots import FILES, QUERIES
from tests import query_slots
from tests.commands import Command
from tests.platform import Platform, Site, free_port, until

FLIGHTS = "/api/flight_delay_data/"
# No row contains these texts, so PostgreSQL reads all 336,776 rows, in 3 s.
SLOW = "or=" + ",".join(
    f"{c}:q{n}"
    for n in range(25)
    for c in ("Origin_City__icontains", "Destination_City__icontains")
)
HEAVY = [
    f"{FLIGHTS}?{SLOW}&limit=1",
    f"{FLIGHTS}?{SLOW}&limit=1&cursor=",
    f"{FLIGHTS}?{SLOW}&limit=0&count=exact",
    f"{FLIGHTS}?{SLOW}&limit=0&facets=Airline_Name",
    f"{FLIGHTS}?{SLOW}&group_by=Airline_Name",
    f"/api/dynamic_query?table_name=flight_delay_data&{SLOW}",
]
LIGHT = [
    f"{FLIGHTS}?limit=1",
    f"{FLIGHTS}?Origin_City=Newark, NJ&order_by=-Flight_Date&limit=5".replace(" ", "%20"),
    f"{FLIGHTS}?Arrival_Delay_Minutes__gt=60&limit=5&count=exact&facets=Airline_Name",
    f"{FLIGHTS}?group_by=Airline_Name&aggregate=count,median:Arrival_Delay_Minutes",
    *(f"{FLIGHTS}?Airline_Name__in=&count={way}" for way in ("exact", "estimated")),
    "/api/search?q=boston&table=flight_delay_data",
    f"/api/delays_by_day/?or={','.join(f'Day_of_Week__icontains:q{n}' for n in range(50))}",
]


@pytest.fixture(scope="module")
def narrow(demo: Platform) -> Iterator[Site]:
    """Two web processes with one slot together."""
    with Platform({**demo.env, "HEAVY_AT_ONCE": "1", "FILES_AT_ONCE": "1"}).site() as site:
        yield site


@pytest.mark.parametrize("path", HEAVY)
def test_a_heavy_query_is_refused_at_once_when_all_slots_are_taken(narrow: Site, path: str) -> None:
    with query_slots.all_taken(QUERIES):
        refused = narrow.get(path)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert "1 large queries are running" in refused.body.decode()


def test_light_queries_need_no_slot(narrow: Site) -> None:
    with query_slots.all_taken(QUERIES), query_slots.all_taken(FILES):
        for path in LIGHT:
            assert narrow.get(path).status == 200, path


def test_a_large_file_has_slots_of_its_own(narrow: Site) -> None:
    path = f"{FLIGHTS}?{SLOW}&format=csv"
    with query_slots.all_taken(FILES):
        refused = narrow.get(path)
        assert (refused.status, "1 large files" in refused.json()["detail"]) == (503, True)
    with query_slots.all_taken(QUERIES):
        assert narrow.get(path).status == 200
    # The client has the last byte before the server closes the file and frees the slot.
    until(lambda: query_slots.taken() == 0, 2)


def test_the_explorer_explains_the_refusal_on_a_page(narrow: Site) -> None:
    with query_slots.all_taken(QUERIES):
        page = narrow.get(f"/explorer?table=flight_delay_data&{SLOW}")
    assert (page.status, page.headers["retry-after"]) == (503, "1")
    assert b"1 large queries are running" in page.body


def test_a_slot_is_free_again_after_an_answer_and_after_a_time_out(demo: Platform) -> None:
    own = Platform({**demo.env, "HEAVY_AT_ONCE": "1", "READER_TIMEOUT_MS": "300"})
    with own.site(processes=1) as site:
        for _ in range(3):
            response = site.get(f"{FLIGHTS}?{SLOW}&limit=1")
            assert (response.status, "took too long" in response.json()["detail"]) == (503, True)
            assert query_slots.taken() == 0


def test_a_query_that_costs_too_much_is_refused_with_advice(demo: Platform) -> None:
    own = Platform({**demo.env, "READER_TIMEOUT_MS": "100"})
    with own.site(processes=1) as site:
        response = site.get(f"{FLIGHTS}?{SLOW}&limit=1")
        assert response.status == 400
        assert "the limit is 40,000. Filter by a value" in response.json()["detail"]
        assert site.get(f"{FLIGHTS}?limit=1").status == 200


def test_slots_of_killed_processes_are_free_again(demo: Platform) -> None:
    own = Platform({**demo.env, "HEAVY_AT_ONCE": "1"})
    with own.running("serve", f"--port={(port := free_port())}", "--processes=1") as server:
        site = Site(f"http://127.0.0.1:{port}")
        until(lambda: _up(site))
        asking = threading.Thread(target=_ask, args=[site, f"{FLIGHTS}?{SLOW}&limit=1"])
        asking.start()
        until(lambda: query_slots.taken() == 1)
        _kill(server)
        until(lambda: query_slots.taken() == 0, seconds=10)
        asking.join()


def _ask(site: Site, path: str) -> None:
    try:
        site.get(path)
    except OSError:
        return  # its server was killed


def _up(site: Site) -> bool:
    try:
        return site.get("/healthz").status == 200
    except OSError:
        return False


def _kill(server: Command) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
