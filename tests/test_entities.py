"""What texts name: airlines, airports, cities, flights and days; and suggestions."""

from datetime import date

import pytest

from flights import entities
from flights.entities import Airline, Airport, City, Day, Entity, Flight, directory
from flights.entities.reach import Limits
from tests.platform import Platform

pytestmark = pytest.mark.usefixtures("demo")


def named(text: str) -> list[tuple[str, str]]:
    """Each mention's text and what it names: a code, a city, a flight or a day."""
    return [(text[m.start : m.end], short(m.entity)) for m in entities.find(text)]


def short(entity: Entity) -> str:
    match entity:
        case Airline() | Airport():
            return entity.code
        case City():
            return entity.name
        case Flight():
            return f"{entity.airline.code} {entity.number}"
        case Day():
            return entity.date.isoformat()
        case _:
            return f"{entity.origin.code}-{entity.destination.code}"


def test_a_sentence_names_an_airline_two_places_and_a_day() -> None:
    assert named("JetBlue from JFK to Orlando on 9 Feb 2013") == [
        ("JetBlue", "B6"),
        ("JFK", "JFK"),
        ("Orlando", "Orlando, FL"),
        ("9 Feb 2013", "2013-02-09"),
    ]


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("JetBlue", "B6"),
        ("jet blue airways", "B6"),
        ("b6", "B6"),
        ("Delta's", "DL"),
        ("united airlines", "UA"),
        ("American", "AA"),
        ("American Eagle", "MQ"),
        ("US Airways", "US"),
        ("jfk", "JFK"),
        ("Kennedy", "JFK"),
        ("LaGuardia", "LGA"),
        ("la guardia", "LGA"),
        ("O'Hare", "ORD"),
        ("ohare", "ORD"),
        ("Midway", "MDW"),
        ("dulles", "IAD"),
        ("NYC", "New York, NY"),
        ("new york", "New York, NY"),
        ("Newark", "Newark, NJ"),
        ("St. Louis", "St. Louis, MO"),
        ("saint louis", "St. Louis, MO"),
        ("San Juan", "San Juan, PR"),
        ("Portland, Oregon", "Portland, OR"),
        ("Dallas", "Dallas/Fort Worth, TX"),
        ("HÓNÖLÜLU", "Honolulu, HI"),
        ("B6 583", "B6 583"),
        ("b6583", "B6 583"),
        ("B6-583", "B6 583"),
        ("JetBlue 583", "B6 583"),
        ("JetBlue flight no. 583", "B6 583"),
        ("flight 583", "B6 583"),
    ],
)
def test_names_and_codes_are_recognised(text: str, entity: str) -> None:
    (mention,) = entities.find(text)
    assert (short(mention.entity), mention.exact) == (entity, True)
    assert text[mention.start : mention.end] == text


@pytest.mark.parametrize(
    "text",
    [
        *("2013-02-09", "20130209", "2013/2/9", "2/9/2013", "02/09/13", "2-9-2013", "9.2.2013"),
        *("9 Feb 2013", "9 Feb. 2013", "Feb 9 2013", "Feb 9, 2013", "February 9th, 2013"),
        *("9th of February 2013", "9-Feb-2013", "february 9", "9 Feb"),
    ],
)
def test_a_day_is_recognised_in_the_usual_notations(text: str) -> None:
    assert named(f"delays on {text}?") == [(text, "2013-02-09")]


def test_a_day_of_more_than_twelve_is_read_in_either_order() -> None:
    assert named("12/25/2013 25/12/2013") == [
        ("12/25/2013", "2013-12-25"),
        ("25/12/2013", "2013-12-25"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("2013-02-30", "13/13/2013", "1.5", "10/12", "2013", "as of us, the best day to fly"),
        *("which airline is late most often", "cancelled in may", "delays by hour"),
    ],
)
def test_other_texts_name_nothing(text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        *(("honlulu", "Honolulu, HI"), ("Jetbleu", "B6"), ("new yrok", "New York, NY")),
        *(("San Fransisco", "San Francisco, CA"), ("Philadelfia", "Philadelphia, PA")),
    ],
)
def test_a_typing_error_is_tolerated_and_stated(text: str, entity: str) -> None:
    (mention,) = entities.find(f"delays in {text}")
    assert (short(mention.entity), mention.exact) == (entity, False)


def test_a_number_with_a_unit_is_no_flight_number() -> None:
    assert named("United 30 or more minutes late, Delta 15 minutes, JetBlue 2013") == [
        *(("United", "UA"), ("Delta", "DL"), ("JetBlue", "B6"))
    ]


def test_a_flight_number_belongs_to_the_airline_that_the_text_names() -> None:
    assert named("how late is flight 1 of JetBlue") == [("flight 1", "B6 1"), ("JetBlue", "B6")]
    (mention,) = entities.find("flight 583")
    assert [short(other) for other in mention.others] == ["UA 583", "US 583"]


def test_a_day_or_flight_that_does_not_exist_has_no_flights() -> None:
    assert [m.entity.flights for m in entities.find("AA 9999, 2014-02-09, 2013-02-09")] == [
        *(0, 0, 684)
    ]


def test_an_ambiguous_name_has_other_meanings() -> None:
    (mention,) = entities.find("Portland")
    assert [short(e) for e in (mention.entity, *mention.others)] == ["Portland, ME", "Portland, OR"]


def test_a_city_has_the_airports_of_its_market() -> None:
    (mention,) = entities.find("New York")
    assert isinstance(mention.entity, City)
    assert [airport.code for airport in mention.entity.airports] == ["EWR", "JFK", "LGA"]
    assert mention.entity.names == ("New York, NY", "Newark, NJ")
    assert mention.entity.flights == 336_776


@pytest.mark.parametrize(
    ("text", "first"),
    [
        *(("JFK to Orlando", "JFK-MCO"), ("EWR-MCO", "EWR-MCO"), ("Miami from LGA", "LGA-MIA")),
        *(("to Miami from LGA", "LGA-MIA"), ("New York to Chicago", "LGA-ORD")),
    ],
)
def test_two_places_are_a_route(text: str, first: str) -> None:
    assert short(entities.routes(text, entities.find(text))[0]) == first


def test_a_route_without_flights_is_none() -> None:
    assert entities.routes("Miami to Orlando", entities.find("Miami to Orlando")) == []


@pytest.mark.parametrize(
    ("prefix", "first"),
    [
        *(("new", "New York, NY"), ("jf", "JFK"), ("del", "DL"), ("kenn", "JFK"), ("o'h", "ORD")),
        *(("jfk to or", "JFK-MCO"), ("b6 58", "B6 586"), ("b6583", "B6 583"), ("583", "B6 583")),
        *(("9 feb 2013", "2013-02-09"), ("honlu", "HNL"), ("orlnad", "MCO"), ("us", "US")),
    ],
)
def test_a_beginning_suggests_the_best_first(prefix: str, first: str) -> None:
    assert short(entities.suggest(prefix)[0]) == first


def test_suggestions_hold_only_what_flights_connect() -> None:
    origins = entities.suggest("", kinds=("origin",))
    assert sorted(map(short, origins)) == ["EWR", "JFK", "LGA"]
    to = entities.suggest("o", kinds=("destination",), limits=Limits(origins=("LGA",)))
    assert {"MCO", "ORD"} <= set(map(short, to))
    assert "OAK" not in map(short, to)
    flying = entities.suggest(
        "", kinds=("airline",), limits=Limits(origins=("JFK",), destinations=("MCO",))
    )
    assert [(short(a), a.flights) for a in flying] == [("B6", 3304), ("DL", 1430), ("AA", 730)]


def test_nothing_exists_before_a_transfer(fresh: Platform) -> None:
    count = "from flights import entities as e; print(e.find('JFK'), e.suggest('JFK'))"
    assert fresh.python(count).split() == ["[]", "[]"]


def test_the_same_versions_have_the_same_directory() -> None:
    assert directory.current() is directory.current()
    assert directory.current().days[date(2013, 2, 9)] == 684
