"""Answer questions for every surface: by the grammar, else by a language model if one is set."""

from contextlib import suppress

from flights import versions
from flights.entities import directory
from flights.errors import NeverTransferred
from flights.models import TableVersion

from . import answers, model
from .answers import Answer
from .refusals import Refused


def answer(question: str, previous: str = "") -> Answer:
    """Answer a question; `previous` is the field `understood` of the answer that it follows."""
    by_grammar = answers.answer(question, previous)
    if by_grammar.plan or not by_grammar.is_unread:
        return by_grammar
    with suppress(Refused):
        if plan := model.plan(question, previous):
            return answers.answer_plan(question, plan, by_model=True)
    return by_grammar


def versions_of(answer: Answer) -> list[TableVersion]:
    """The versions that an answer depends on; empty if no cache may store it."""
    if answer.figures is None or answer.by_model:
        return []
    try:
        names = [versions.current_cached(model) for model in directory.SOURCES]
    except NeverTransferred:
        return []
    return list(dict.fromkeys([answer.figures.version, *names]))
