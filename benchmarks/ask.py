"""Print how many questions are answered right: `python -m benchmarks.ask`.

Needs a running platform with the demo (`make run`). The questions and their independent answers are
in tests/data/questions.toml. With a language model (ASK_MODEL_URL) it measures that, too.
"""

import os
import statistics
import time
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from benchmarks.keys import own_key
from tests import ask_questions
from tests.ask_questions import QUESTIONS

ADDRESS = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/api/ask"
SESSION = requests.Session()


def main() -> None:
    with own_key() as key:
        SESSION.headers["X-API-Key"] = key
        measure()


def measure() -> None:
    seconds: list[float] = []
    outcomes = list(_outcomes(seconds))
    refused = [ask(question, "", seconds) for question in QUESTIONS["refused"]]
    groups = [{ask(q, "", seconds)["url"] for q in group} for group in QUESTIONS["paraphrases"]]
    kinds = [outcome.kind for outcome in outcomes]
    table = Table("questions", "number", "result", title="Ask")
    for kind in ("right", "refused", "wrong"):
        table.add_row("with an answer", str(len(kinds)), f"{kinds.count(kind)} {kind}")
    without = sum(not answer["answered"] for answer in refused)
    table.add_row("without an answer", str(len(refused)), f"{without} refused")
    same = sum(len(urls) == 1 for urls in groups)
    table.add_row("groups of paraphrases", str(len(groups)), f"{same} give one query")
    p95 = statistics.quantiles(seconds, n=20)[-1]
    median = statistics.median(seconds)
    table.add_row(
        "all", str(len(seconds)), f"median {1000 * median:.0f} ms, p95 {1000 * p95:.0f} ms"
    )
    Console().print(table, *(o for o in outcomes if o.kind != "right"))


def _outcomes(seconds: list[float]) -> Any:
    with ask_questions.flights() as connection:
        for question in QUESTIONS["answered"]:
            answer = ask(question["q"], question.get("previous", ""), seconds)
            rows = ask_questions.expected(connection, question)
            yield ask_questions.outcome(answer, question["q"], rows)


def ask(question: str, previous: str, seconds: list[float]) -> Any:
    """Return the API's answer. It sends a POST, because a cached response would take no time."""
    started_at = time.perf_counter()
    response = SESSION.post(ADDRESS, json={"question": question, "previous": previous}, timeout=60)
    seconds.append(time.perf_counter() - started_at)
    response.raise_for_status()
    return response.json()


if __name__ == "__main__":
    main()
