"""Addresses of the explorer's other states, in which everything still fits together.

Grouping gives a result other columns: an order, a choice of columns or a chart that names one which
the result no longer has is left out, and all others stay.
"""

from flights.errors import BadQuery
from flights.mirror import MirroredTable
from flights.query import columns, grouping
from flights.query.columns import Columns
from flights.query.filters import split

PATH = "/explorer"
GROUPING = ("group_by", "aggregate")


def fitting(model: type[MirroredTable], params: dict[str, str]) -> dict[str, str]:
    """The API's parameters without what the result of their grouping lacks."""
    params = dict(params)
    having = params.pop("having", "")
    try:
        groups = grouping.read(model, params)
    except BadQuery:
        return {**params, **({"having": having} if having else {})}  # the query reports the error
    known = groups.columns if groups else columns.of(model)
    for name in ("order_by", "columns"):
        _keep(params, name, [p for p in params.get(name, "").split(",") if _column(p) in known])
    if groups:
        params.pop("facets", None)
        _keep(params, "having", _conditions(known, having))
    return params


def _keep(params: dict[str, str], name: str, parts: list[str]) -> None:
    if parts:
        params[name] = ",".join(parts)
    else:
        params.pop(name, None)


def _column(direction: str) -> str:
    """The name in `-Total_Flights__nulls_first`."""
    return direction.strip().removeprefix("-").partition("__")[0]


def _conditions(known: Columns, having: str) -> list[str]:
    try:
        conditions = split("having", having, known)
    except BadQuery:
        return []
    return [f"{n}:{v}" for n, v in conditions if n.partition("__")[0] in known or n in known]
