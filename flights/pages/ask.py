"""`/ask` answers one question, `/chat` a conversation whose questions are in its address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from flights import links
from flights.access import throttles
from flights.ask import figures as answered
from flights.ask import selection, service, wording
from flights.ask.answers import Answer
from flights.ask.wording import Measured
from flights.entities.dates import WEEK
from flights.errors.pages import page
from flights.web import caching

from . import figures, table_rows
from .charts import Bars, Chart, Columns, Figure, Value

MOST = 20  # groups that a chart shows
TURNS = 6  # questions of a conversation that are answered; earlier ones are left out
# Groups on a scale, which a chart shows in the order of the scale, with short labels.
SHORT: dict[str, Callable[[str], str]] = {
    "month": lambda label: label[:3],
    "day of the week": lambda label: label[:3],
    "hour": lambda label: label[:2],
    "year": str,
}
EXAMPLES = (
    "Which airline is worst at LGA in July?",
    "How likely is a delay of 30 minutes on JetBlue from JFK to Orlando?",
    "How many flights were cancelled on Feb 9 2013?",
    "Worst hour to fly from LaGuardia",
    "Compare United and Delta",
    "Cancellation rate by month",
)


@dataclass(frozen=True)
class Turn:
    """A question of a conversation, its answer, and where the answer has a page of its own."""

    answer: Answer
    url: str


@page
def ask(request: HttpRequest) -> HttpResponse:
    """A question, its answer as a sentence and a chart, the query, and a form to go on."""
    return _cached(_ask)(request)


@page
def chat(request: HttpRequest) -> HttpResponse:
    """A conversation: each question continues the one before."""
    return _cached(_chat)(request)


def _cached(view: caching.Page) -> caching.Page:
    """Let caches store a page, unless a language model may answer differently each time."""
    return view if settings.ASK_MODEL_URL else caching.while_current(view)


def _ask(request: HttpRequest) -> HttpResponse:
    question, previous = (request.GET.get(name, "").strip() for name in ("q", "previous"))
    throttles.charge(request.META, "query")
    context: dict[str, Any] = {"question": question, "examples": _links(EXAMPLES)}
    if not question:
        return render(request, "ask.html", context)
    answer = service.answer(question, previous)
    context |= {"answer": answer, "suggestions": _links(answer.suggestions)}
    chart = _figure(answer)
    context["chart"] = chart
    return figures.respond(request, "ask.html", context, [chart] if chart else [])


def _chat(request: HttpRequest) -> HttpResponse:
    questions = [text.strip() for text in request.GET.getlist("q") if text.strip()]
    questions = questions[-TURNS:]
    throttles.charge(request.META, "query", max(1, len(questions)))
    turns = _turns(questions)
    suggestions = turns[-1].answer.suggestions if turns else EXAMPLES
    context = {
        "turns": turns,
        "questions": questions[1 - TURNS :],
        "suggestions": [(text, _conversation([*questions, text])) for text in suggestions],
    }
    return render(request, "chat.html", context)


def _turns(questions: list[str]) -> list[Turn]:
    turns: list[Turn] = []
    previous = ""
    for question in questions:
        answer = service.answer(question, previous)
        turns.append(Turn(answer, _address(question, previous)))
        previous = answer.understood or previous
    return turns


def _address(question: str, previous: str) -> str:
    """The page of one answer."""
    url = links.ask(question)
    return f"{url}&{urlencode({'previous': previous}, quote_via=quote)}" if previous else url


def _conversation(questions: list[str]) -> str:
    return f"/chat?{urlencode([('q', text) for text in questions[-TURNS:]], quote_via=quote)}"


def _links(questions: Any) -> list[tuple[str, str]]:
    return [(question, links.ask(question)) for question in questions]


def _figure(answer: Answer) -> Figure | None:
    """The chart of an answer with several groups."""
    plan, result = answer.plan, answer.figures
    if plan is None or result is None or len(result.rows) < 2:
        return None
    measured, thing = wording.measured(plan), wording.thing(plan)
    unit = "%" if measured.unit == "percent" else measured.unit
    rows = result.rows[:MOST]
    if thing in SHORT:
        values = [Value(SHORT[thing](row.label), row.value, row.flights) for row in _in_time(rows)]
        chart: Chart = Columns(values, unit, thing.capitalize())
    else:
        named = [Value(row.label, row.value, row.flights, row.page or "") for row in rows]
        chart = Bars(named, unit, thing.capitalize())
    flights = f"flights {selection.where(plan)}"
    return Figure(
        name="answer",
        title=f"By {thing}",
        measure=f"{_measure(measured, flights)[0].upper()}{_measure(measured, flights)[1:]}",
        chart=chart,
        source=table_rows.source(result.version),
        flights=sum(row.flights for row in rows),
        data=plan.url,
    )


def _measure(measured: Measured, flights: str) -> str:
    if measured.kind == "percent":
        return f"percent of {flights} that {measured.words}"
    if measured.kind == "count":
        return f"{flights} that {measured.words}"
    return f"{measured.words} of {flights}, in {measured.unit}"


def _in_time(rows: list[answered.Figure]) -> list[answered.Figure]:
    """Months, hours and days of the week in their own order, whatever the ranking."""
    return sorted(rows, key=lambda row: [_place(value) for value in row.keys.values()])


def _place(value: Any) -> Any:
    return WEEK.index(value) if value in WEEK else value
