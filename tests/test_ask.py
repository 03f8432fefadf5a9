"""Ask: `/api/ask`, `/api/chat`, and the pages `/ask` and `/chat` over HTTP."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.platform import Response, Site

WORST = "which airline is worst at LGA in July"
HOSTILE = [
    "'; DROP TABLE flight_delay_data; --",
    "<script>alert(1)</script>",
    "{{ 7|add:7 }} delays",
    "delays " * 60,
    "१२३ flights",
    "jfk " * 70,
]


def ask(site: Site, question: str, previous: str = "") -> Any:
    more = f"&previous={quote(previous)}" if previous else ""
    return site.get(f"/api/ask?q={quote(question)}{more}").json()


def post(site: Site, path: str, body: object) -> Response:
    data = json.dumps(body).encode()
    return site.request("POST", path, data, Content_Type="application/json")


def test_the_query_of_an_answer_returns_its_figures(site: Site) -> None:
    answer = ask(site, WORST)
    rows = site.get(answer["url"]).json()
    assert rows["version"] == int(answer["version"].partition("/")[2])
    figures = [(row["Airline_Code"], *list(row.values())[1:]) for row in rows["results"]]
    assert figures == [
        (figure["keys"]["Airline_Code"], figure["value"], figure["flights"])
        for figure in answer["figures"]
    ]
    assert answer["flights"] == sum(figure["flights"] for figure in answer["figures"])


def test_an_answer_is_cached_while_its_versions_are_current(site: Site) -> None:
    first = site.get(f"/api/ask?q={quote(WORST)}")
    again = site.get(f"/api/ask?q={quote(WORST)}", If_None_Match=first.headers["etag"])
    assert again.status == 304
    assert "flight_delay_data/" in first.headers["x-airsense-version"]
    refused = site.get("/api/ask?q=cheapest+airline")
    assert refused.headers["cache-control"] == "no-store"


def test_posting_a_question_gives_the_same_answer(site: Site) -> None:
    answer = post(site, "/api/ask", {"question": WORST})
    assert answer.json() == ask(site, WORST)


def test_a_conversation_continues_from_what_was_understood(site: Site) -> None:
    first = ask(site, "which airline is best from newark")
    second = ask(site, "and on Mondays?", first["understood"])
    third = ask(site, "what about Delta?", second["understood"])
    assert second["plan"]["filters"] == {"Origin": "EWR", "Day_of_Week": "Monday"}
    assert third["plan"]["filters"] == {
        "Airline_Code": "DL",
        "Origin": "EWR",
        "Day_of_Week": "Monday",
    }
    assert third["plan"]["group_by"] == []


def test_a_follow_up_that_changes_nothing_is_refused(site: Site) -> None:
    first = ask(site, "percentage late from JFK")
    assert not ask(site, "and departures?", first["understood"])["answered"]


def test_a_ranking_of_one_says_that_there_is_no_other(site: Site) -> None:
    sentence = ask(site, "UA and DL from EWR to SFO in August")["sentence"]
    assert sentence.endswith("No other has at least 100 flights.")


def test_a_misspelt_question_says_how_it_was_read(site: Site) -> None:
    answer = ask(site, "wrost airline from newrak")
    assert {(c["written"], c["read"]) for c in answer["corrected"]} == {
        ("wrost", "worst"),
        ("newrak", "Newark, NJ"),
    }


def test_a_question_about_other_years_states_the_year_of_the_flights(site: Site) -> None:
    assert "2013" in ask(site, "delays in 2019")["sentence"]


def test_a_chart_of_an_answer_names_the_publisher(site: Site) -> None:
    page = site.get(f"/ask?q={quote(WORST)}").body.decode()
    assert "US Bureau of Transportation Statistics; flight_delay_data, version 1." in page


def test_a_refusal_names_each_subject_once(site: Site) -> None:
    sentence = ask(site, "delays caused by weather")["sentence"]
    assert sentence == "The data tell nothing about causes of delays and the weather."


@pytest.mark.parametrize(
    ("question", "state", "suggestion"),
    [
        ("best airline to Florida", "Florida", "best airline by percentage on time to MCO"),
        (
            "What percentage of flights to hawaii are on time?",
            "hawaii",
            "percentage on time to HNL",
        ),
        ("delays from LGA to North Carolina", "North Carolina", "percentage late from LGA to CLT"),
    ],
)
def test_a_question_about_a_state_is_answered_for_its_cities(
    site: Site, question: str, state: str, suggestion: str
) -> None:
    refused = ask(site, question)
    assert not refused["answered"]
    assert refused["sentence"].endswith(f"but not states such as {state}.")
    assert suggestion in refused["suggestions"]
    assert all(ask(site, text)["answered"] for text in refused["suggestions"])


@pytest.mark.parametrize("things", ["hour", "time of day"])
def test_an_hour_with_a_single_flight_does_not_have_the_fewest_delays(
    site: Site, things: str
) -> None:
    answer = ask(site, f"what {things} has the fewest delays")
    assert answer["answered"]
    assert len(answer["figures"]) > 10
    assert all(figure["flights"] >= 100 for figure in answer["figures"])
    assert " of 19 hours with at least 100 flights;" in answer["sentence"]


@pytest.mark.parametrize("path", ["/api/ask", "/api/ask?q=", "/api/ask?q=a&q=b", "/api/ask?x=1"])
def test_a_request_without_one_question_is_refused(site: Site, path: str) -> None:
    assert site.get(path).status == 400


@pytest.mark.parametrize("body", [{}, [], {"question": 7}, {"question": "a\0"}, {"question": ""}])
def test_a_body_without_a_question_is_refused(site: Site, body: object) -> None:
    assert post(site, "/api/ask", body).status == 400


@pytest.mark.parametrize("question", HOSTILE)
def test_hostile_questions_are_refused_without_harm(site: Site, question: str) -> None:
    for path in (f"/api/ask?q={quote(question)}", f"/api/ask?q=late&previous={quote(question)}"):
        answer = site.get(path)
        assert answer.status == 200, answer.body
    assert not ask(site, question)["answered"]
    for page in (f"/ask?q={quote(question)}", f"/chat?q={quote(question)}"):
        answer = site.get(page)
        assert answer.status == 200
        assert b"<script>alert" not in answer.body


def test_the_chat_replies_in_at_most_100_words(site: Site) -> None:
    reply = post(site, "/api/chat", {"message": WORST}).json()
    assert reply["reply"] == ask(site, WORST)["sentence"]
    for message in (WORST, "which airline has the best food", "when"):
        assert len(post(site, "/api/chat", {"message": message}).json()["reply"].split()) <= 100


def test_the_page_of_an_answer_shows_sentence_flights_query_and_chart(site: Site) -> None:
    answer = ask(site, WORST)
    page = site.get(f"/ask?q={quote(WORST)}").body.decode()
    for text in (answer["sentence"], f"{answer['flights']:,}", 'name="previous"'):
        assert text in page
    assert answer["url"].replace("&", "&amp;") in page
    picture = site.get(f"/ask?q={quote(WORST)}&figure=answer&format=svg")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/svg+xml")
    data = site.get(f"/ask?q={quote(WORST)}&figure=answer&format=csv").body.decode().splitlines()
    assert len(data) == 1 + len(answer["figures"])


def test_the_chat_page_keeps_the_conversation_in_its_address(site: Site) -> None:
    page = site.get("/chat?q=best+airline+from+newark&q=and+on+mondays&q=fares").body.decode()
    assert "on Mondays" in page
    assert page.count('type="hidden" name="q"') == 3
    assert "fares, prices and bookings" in page


def test_many_questions_in_one_address_are_bounded(site: Site) -> None:
    page = site.get("/chat?" + "&".join(["q=delta+delays"] * 40)).body.decode()
    assert page.count("<li>\n") <= 6
