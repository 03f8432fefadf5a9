"""Let a language model make the plan of a question that the grammar cannot read.

Any endpoint of OpenAI's chat completions protocol will do. Nothing of its output but a plan is
used: `Plan.read` refuses what is not in its grammar, and the sentence is made of the plan. So a
text that instructs the model otherwise can at most lead to another query of public data, and the
answer says which.
"""

import json
import logging
import threading
from datetime import date
from functools import lru_cache
from typing import Any

import orjson
import requests
from django.conf import settings

from flights import lending, tables
from flights.entities import directory
from flights.errors import BadQuery
from flights.mirror import public

from . import periods
from .plan import TABLES, Plan

LONGEST = 20_000  # bytes of a response
TOKENS = 500  # of an answer: a plan has about 150
log = logging.getLogger(__name__)
# Questions of a process that may wait for the model; each occupies a thread.
_slots = threading.BoundedSemaphore(2)

TASK = """You turn a question about US flights into a query plan. Reply with one JSON object and
nothing else: {"table", "filters", "group_by", "aggregates", "having", "order_by", "limit"}.
filters: an object of "Column" or "Column__operator" (gt, gte, lt, lte, in, isnull) and values;
several values of `in` are separated by commas. aggregates: one figure. In performance tables it is
percent:Count/Scheduled_Flights or sum:Count, with Count one of Scheduled_Flights,
On_Time_Arrivals, Late_Arrivals, Cancelled_Flights, Diverted_Flights; in flight_delay_data it is
count, share:Column__operator:value, avg:, median:, max: or disc90:Column_Minutes.
Rankings need having ["count__gte:100"] or ["sum_Scheduled_Flights__gte:100"]. order_by names
columns of the result: percent_A_of_B, sum_A, count, share_Column_operator_value; - descends.
If the question cannot be answered from these tables, reply {}.
"""


def plan(question: str, previous: str = "") -> Plan | None:
    """The plan that the model returns; None without a model, a free slot, or a valid plan."""
    if not settings.ASK_MODEL_URL or not _slots.acquire(blocking=False):
        return None
    try:
        with lending.lent():
            reply = _reply(question, previous)
        return Plan.read(orjson.loads(reply))
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        log.warning("the language model made no plan: %s", type(error).__name__)
    except BadQuery:
        log.info("the language model made a plan that is not allowed")
    finally:
        _slots.release()
    return None


def _reply(question: str, previous: str) -> str:
    """The text of the model's reply."""
    key = settings.ASK_MODEL_KEY
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with requests.post(
        f"{settings.ASK_MODEL_URL.rstrip('/')}/chat/completions",
        json=_request(question, previous),
        headers=headers,
        timeout=settings.ASK_MODEL_TIMEOUT,
        allow_redirects=False,
        stream=True,
    ) as response:
        response.raise_for_status()
        body = response.raw.read(LONGEST + 1, decode_content=True)
    if len(body) > LONGEST:
        raise ValueError("the response is too long")
    return str(orjson.loads(body)["choices"][0]["message"]["content"])


def _request(question: str, previous: str) -> dict[str, Any]:
    first, last = periods.coverage()
    content = {"question": question, "question_before": previous}
    return {
        "model": settings.ASK_MODEL_NAME,
        "messages": [
            {"role": "system", "content": f"{TASK}{_tables()}{_names(first, last)}"},
            {"role": "user", "content": json.dumps(content)},
        ],
        "temperature": 0,
        "max_tokens": TOKENS,
        "response_format": {"type": "json_object"},
    }


@lru_cache
def _tables() -> str:
    """The tables and columns of plans."""
    lines = [
        f"{name}: {', '.join(public(field) for field in tables.by_name(name).columns())}"
        for name in TABLES
    ]
    return "\n".join(lines)


def _names(first: date, last: date) -> str:
    """What the model has to know about the values."""
    known = directory.current()
    airlines = ", ".join(f"{airline.code} {airline.name}" for airline in known.airlines.values())
    return (
        f"\nFlights from {first} to {last}. Airlines: {airlines}. Airports by their IATA codes."
        " Months are first days, such as 2013-07-01. Day_of_Week is such as Monday."
    )
