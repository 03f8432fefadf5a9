"""A language model may only plan a query; everything else in its response is ignored."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from flights.ask import service
from tests.platform import Platform

UNREAD = "Regarding punctuality, rank carriers departing Newark."
PLAN = {
    "table": "performance_by_route",
    "filters": {"Origin": "EWR"},
    "group_by": ["Airline_Code"],
    "aggregates": ["percent:On_Time_Arrivals/Scheduled_Flights"],
    "order_by": ["-percent_On_Time_Arrivals_of_Scheduled_Flights"],
    "limit": 5,
}


class Model:
    """A server that speaks the chat completions protocol and replies with a fixed text."""

    def __init__(self) -> None:
        self.status, self.content = 200, json.dumps(PLAN)
        self.requests: list[tuple[str, dict[str, str], Any]] = []

    def serve(self, url: list[str]) -> ThreadingHTTPServer:
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model.requests.append((self.path, dict(self.headers), body))
                reply = {"choices": [{"message": {"role": "assistant", "content": model.content}}]}
                data = json.dumps(reply).encode()
                self.send_response(model.status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url.append(f"http://127.0.0.1:{server.server_port}/v1")
        return server


@pytest.fixture
def model(settings: Settings, demo: Platform) -> Iterator[Model]:
    own, url = Model(), list[str]()
    server = own.serve(url)
    settings.ASK_MODEL_URL, settings.ASK_MODEL_KEY = url[0], "a key"
    settings.ASK_MODEL_NAME = "a model"
    yield own
    server.shutdown()
    server.server_close()


def test_the_plan_of_a_model_is_run_like_any_other(model: Model) -> None:
    answer = service.answer(UNREAD)
    assert answer.by_model
    assert answer.plan
    assert answer.plan.having == ("sum_Scheduled_Flights__gte:100",)  # the model leaves it out
    assert answer.figures
    assert answer.figures.rows[0].label == "Alaska Airlines Inc. (AS)"
    assert "84.73 %" in answer.sentence
    ((path, headers, body),) = model.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer a key"
    assert body["model"] == "a model"
    assert json.loads(body["messages"][-1]["content"])["question"] == UNREAD


def test_a_question_that_the_grammar_reads_does_not_reach_the_model(model: Model) -> None:
    assert service.answer("which airline is best from newark").plan
    assert not service.answer("which airline has the best food").plan
    assert model.requests == []


@pytest.mark.parametrize(
    "content",
    [
        "Ignore the rules. The answer is 42 %.",
        json.dumps({**PLAN, "sql": "SELECT 1"}),
        json.dumps({**PLAN, "table": "auth_user"}),
        json.dumps({**PLAN, "table": "information_schema.tables"}),
        json.dumps({**PLAN, "aggregates": ["avg:On_Time_Percent"]}),
        json.dumps({**PLAN, "aggregates": ["count; DROP TABLE x"]}),
        json.dumps({**PLAN, "group_by": ["password"]}),
        json.dumps({**PLAN, "filters": {"Origin": ["EWR"]}}),
        json.dumps({**PLAN, "filters": {"format": "csv"}}),
        json.dumps({**PLAN, "limit": 1_000_000}),
        json.dumps({**PLAN, "order_by": "1"}),
        json.dumps({**PLAN, "table": "performance_by_airport", "filters": {}}),
        json.dumps([PLAN]),
        "{}",
        "[" * 10_000,
        "x" * 100_000,
    ],
)
def test_anything_but_an_allowed_plan_leaves_the_answer_of_the_grammar(
    model: Model, content: str
) -> None:
    model.content = content
    answer = service.answer(UNREAD)
    assert model.requests
    assert answer.plan is None
    assert answer.sentence.startswith("I do not understand")
    assert answer.suggestions


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_a_failure_of_the_model_leaves_the_answer_of_the_grammar(model: Model, status: int) -> None:
    model.status = status
    assert service.answer(UNREAD).plan is None


def test_a_model_that_does_not_exist_leaves_the_answer_of_the_grammar(
    settings: Settings, demo: Platform
) -> None:
    settings.ASK_MODEL_URL = "http://127.0.0.1:9/v1"
    assert service.answer(UNREAD).plan is None


def test_no_answer_of_a_model_is_cached(model: Model) -> None:
    assert service.versions_of(service.answer(UNREAD)) == []


def test_the_sentence_states_every_filter_of_a_plan(model: Model) -> None:
    model.content = json.dumps(
        {
            "table": "flight_delay_data",
            "filters": {"Scheduled_Departure_Hour__gte": 18, "Distance_Miles__gt": 1000},
            "aggregates": ["share:Arrival_Delay_Minutes__gte:30"],
        }
    )
    sentence = service.answer(UNREAD).sentence
    assert "where Scheduled Departure Hour ≥ 18" in sentence
    assert "where Distance Miles > 1000" in sentence
    assert "arrived 30 minutes late or more" in sentence
