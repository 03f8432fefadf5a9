"""Answer a question: understand it, plan a query, read its figures, and write a sentence."""

from dataclasses import dataclass, field, replace
from typing import Any

from flights.errors import BadQuery

from . import figures, planner, questions, selection, sentences, understanding, wording
from .figures import Figures
from .frame import Frame
from .plan import LEAST, Plan
from .refusals import Refused


@dataclass(frozen=True)
class Answer:
    """The answer to a question; or the reason for a refusal, with questions to ask instead."""

    question: str
    sentence: str
    plan: Plan | None = None  # None: the question is refused
    figures: Figures | None = None
    understood: str = ""  # the question in the grammar's words; a next question can refer to it
    corrected: list[tuple[str, str]] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    by_model: bool = False  # whether a language model made the plan
    is_unread: bool = False  # whether the grammar could not read the question

    @property
    def flights(self) -> int | None:
        """The number of flights that the figures rest on, together."""
        return sum(row.flights for row in self.figures.rows) if self.figures else None


def answer(question: str, previous: str = "") -> Answer:
    """Answer a question; `previous` is the field `understood` of the answer that it follows."""
    before = None
    try:
        before = _frame(previous)
        frame, words = understanding.understand(question, before)
        plan = planner.plan(frame)
        result = answer_plan(question, plan)
        return replace(result, understood=questions.of(frame), corrected=words.corrected)
    except Refused as refusal:
        return refuse(question, refusal, before)


def answer_plan(question: str, plan: Plan, by_model: bool = False) -> Answer:
    """Answer a question by running its plan. Raises Refused if the data have no figures."""
    try:
        result = figures.read(plan)
    except BadQuery as error:
        raise Refused(error.message) from None
    rows = [row for row in result.rows if row.value is not None and row.flights]
    if not rows:
        raise Refused(_no_figures(plan))
    result = Figures(rows, result.more, result.version)
    text = sentences.sentence(plan, result)
    return Answer(question, text, plan, result, by_model=by_model)


def refuse(question: str, refusal: Refused, previous: Frame | None = None) -> Answer:
    """Refuse a question; suggest the most similar questions that can be answered."""
    suggestions = questions.close(question, refusal, previous)
    unread = refusal.is_unread
    return Answer(question, refusal.reason, suggestions=suggestions, is_unread=unread)


def _frame(previous: str) -> Frame | None:
    """The frame of the previous question; None if there is none or it cannot be read."""
    if not previous.strip():
        return None
    try:
        return understanding.understand(previous)[0]
    except Refused:
        return None


def _no_figures(plan: Plan) -> str:
    if plan.having:
        thing, where = wording.thing(plan), selection.where(plan)
        return f"No {thing} has {LEAST} flights {where}, the minimum for a ranking."
    return f"The data have no figure for {selection.flights(plan)}."


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer as the API returns it."""
    plan, result = answer.plan, answer.figures
    return {
        "question": answer.question,
        "answered": plan is not None,
        "sentence": answer.sentence,
        "understood": answer.understood or None,
        "corrected": [{"written": written, "read": read} for written, read in answer.corrected],
        "measure": _measure(plan) if plan else None,
        "figures": [_row(row) for row in result.rows] if result else [],
        "more": bool(result and result.more),
        "flights": answer.flights,
        "table": plan.table if plan else None,
        "version": str(result.version) if result else None,
        "url": plan.url if plan else None,
        "plan": plan.json() if plan else None,
        "by_model": answer.by_model,
        "suggestions": answer.suggestions,
    }


def _measure(plan: Plan) -> dict[str, str]:
    measured = wording.measured(plan)
    return {"aggregate": plan.aggregates[0], "words": measured.words, "unit": measured.unit}


def _row(row: figures.Figure) -> dict[str, Any]:
    return {
        "name": row.label or None,
        "keys": row.keys,
        "value": row.value,
        "flights": row.flights,
        "page": row.page,
    }
