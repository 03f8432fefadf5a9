"""The questions of tests/data/questions.toml: right figures, refusals and paraphrases."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb
import orjson
import pytest

from flights.ask import answers, service
from tests import ask_questions
from tests.ask_questions import QUESTIONS, Outcome
from tests.samples import daily

RIGHT = 0.9  # least share of right answers


@pytest.fixture(scope="module")
def flights() -> Iterator[duckdb.DuckDBPyConnection]:
    with ask_questions.flights() as connection:
        yield connection


@cache
def ask(question: str, previous: str = "") -> dict[str, Any]:
    """The JSON of an answer, in this process: one address may ask only 600 questions a minute."""
    answer: dict[str, Any] = orjson.loads(
        orjson.dumps(answers.as_json(service.answer(question, previous)))
    )
    return answer


@cache
def outcome(flights: duckdb.DuckDBPyConnection, index: int) -> Outcome:
    question = QUESTIONS["answered"][index]
    answer = ask(question["q"], question.get("previous", ""))
    return ask_questions.outcome(answer, question["q"], ask_questions.expected(flights, question))


def test_there_are_150_questions_and_50_that_have_no_answer() -> None:
    assert len({question["q"] for question in QUESTIONS["answered"]}) >= 150
    assert len(set(QUESTIONS["refused"])) >= 50


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("index", range(len(QUESTIONS["answered"])))
def test_no_answer_shows_a_wrong_figure(flights: duckdb.DuckDBPyConnection, index: int) -> None:
    result = outcome(flights, index)
    assert result.kind != "wrong", result


@pytest.mark.usefixtures("demo")
def test_nine_of_ten_questions_are_answered_right(flights: duckdb.DuckDBPyConnection) -> None:
    outcomes = [outcome(flights, index) for index in range(len(QUESTIONS["answered"]))]
    refused = [result.question for result in outcomes if result.kind == "refused"]
    right = [result for result in outcomes if result.kind == "right"]
    assert len(right) >= RIGHT * len(outcomes), refused


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("question", daily(QUESTIONS["refused"]))
def test_a_question_without_an_answer_is_refused_with_questions_that_have_one(
    question: str,
) -> None:
    answer = ask(question)
    assert not answer["answered"]
    assert answer["figures"] == []
    assert answer["url"] is None
    assert 1 <= len(answer["suggestions"]) <= 3
    assert all(ask(suggestion)["answered"] for suggestion in answer["suggestions"])


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("paraphrases", QUESTIONS["paraphrases"], ids=lambda group: group[0])
def test_questions_that_mean_the_same_give_the_same_query(paraphrases: list[str]) -> None:
    assert {ask(question)["url"] for question in paraphrases} == {ask(paraphrases[0])["url"]}
    assert ask(paraphrases[0])["url"]


@pytest.mark.usefixtures("demo")
def test_the_stated_interpretation_of_a_question_has_the_same_answer() -> None:
    for question in QUESTIONS["answered"]:
        answer = ask(question["q"], question.get("previous", ""))
        again = ask(answer["understood"])
        assert (again["url"], again["understood"]) == (answer["url"], answer["understood"])


@pytest.mark.usefixtures("demo")
def test_every_sentence_states_its_figure_and_its_flights() -> None:
    for question in QUESTIONS["answered"]:
        answer = ask(question["q"], question.get("previous", ""))
        for number in (answer["figures"][0]["value"], answer["figures"][0]["flights"]):
            text = f"{number:,.2f}" if isinstance(number, float) else f"{number:,}"
            named = [f"{figure['flights']:,}" for figure in answer["figures"]]
            in_order = answer["sentence"].startswith("By ")  # names the highest and the lowest
            assert text.replace("-", "−") in answer["sentence"] or (in_order and named), answer  # noqa: RUF001
