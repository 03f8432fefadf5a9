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
    """The answer to a question; `previous` is `understood` of the answer that it continues."""
    read = answers.answer(question, previous)
    if read.plan or not read.is_unread:
        return read
    with suppress(Refused):
        if plan := model.plan(question, previous):
            return answers.answered(question, plan, by_model=True)
    return read


def versions_of(answer: Answer) -> list[TableVersion]:
    """The versions that an answer depends on; empty if no cache may store it."""
    if answer.figures is None or answer.by_model:
        return []
    try:
        names = [versions.current_cached(model) for model in directory.SOURCES]
    except NeverTransferred:
        return []
    return list(dict.fromkeys([answer.figures.version, *names]))
