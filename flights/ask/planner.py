"""Make the plan of a frame: the smallest table that has its columns, with filters and measures."""

from dataclasses import replace

from . import aggregates, periods
from .frame import TIMES, Frame, Period
from .plan import MOST, Plan
from .sources import EVERY_FLIGHT, SOURCES, Source

SHORT = 20  # rows of a ranking of days, routes or flights, of which there are many


GROUPS = {"route": ("origin", "destination"), "flight": ("airline", "flight")}


def plan(frame: Frame) -> Plan:
    """The plan of a frame. Raises Refused if the tables cannot answer."""
    assert frame.measure
    source = _source(frame)
    extra: dict[str, str] = {}
    if source is EVERY_FLIGHT:
        measures, extra = aggregates.of_flights(frame.measure)
    else:
        measures = aggregates.of_performance(frame.measure, source)
    group_by = tuple(source.columns[name] for name in _dimensions(frame.group))
    filters = _filters(frame, source) | extra
    draft = Plan(source.table, measures, tuple(filters.items()), group_by)
    return _ranked(frame, draft) if group_by else draft


def _dimensions(group: str) -> tuple[str, ...]:
    return GROUPS.get(group, (group,) if group else ())


def _needed(frame: Frame) -> set[str]:
    filters = {
        "airline": frame.airlines or frame.flight,
        "origin": frame.origins,
        "destination": frame.destinations,
        "flight": frame.flight,
        "period": frame.period,
        "weekday": frame.weekdays,
        "hour": frame.hours,
    }
    named = {name for name, value in filters.items() if value}
    assert frame.measure
    counted = (
        {aggregates.counted_dimension(frame.measure)} if frame.measure.name == "number" else set()
    )
    return named | set(_dimensions(frame.group)) | counted


def _source(frame: Frame) -> Source:
    needed = _needed(frame)
    for source in SOURCES:
        if needed <= source.columns.keys() and _has(source, frame):
            return source
    return EVERY_FLIGHT


def _has(source: Source, frame: Frame) -> bool:
    """Whether a performance table has the measure and the whole period."""
    measure = frame.measure
    assert measure
    by_month = source.table == "performance_by_month"
    if by_month and frame.period and not periods.whole_months(frame.period):
        return False
    plain = measure.name in ("on_time", "cancelled", "diverted", "flights", "number")
    late = measure.name == "late" and (measure.operator, measure.minutes) == ("gte", 15)
    return (plain or late) and not measure.departure


def _filters(frame: Frame, source: Source) -> dict[str, str]:
    filters: dict[str, str] = {}
    if source.table == "performance_by_airport":
        direction = "arriving" if "destination" in source.columns else "departing"
        filters["Direction"] = direction
    lists = {
        "airline": frame.airlines,
        "origin": frame.origins,
        "destination": frame.destinations,
        "weekday": frame.weekdays,
    }
    for name, values in lists.items():
        if values:
            filters |= _one_of(source.columns[name], values)
    if frame.flight:
        names = source.columns["airline"], source.columns["flight"]
        filters |= dict(zip(names, frame.flight, strict=True))
    if frame.period:
        filters |= _days(source.columns["period"], frame.period)
    if frame.hours:
        filters |= _hours(source.columns["hour"], *frame.hours)
    return filters


def _hours(column: str, first: int, last: int) -> dict[str, str]:
    if first == last:
        return {column: str(first)}
    return {f"{column}__gte": str(first), f"{column}__lte": str(last)}


def _one_of(column: str, values: tuple[str, ...]) -> dict[str, str]:
    return {column: values[0]} if len(values) == 1 else {f"{column}__in": ",".join(values)}


def _days(column: str, period: Period) -> dict[str, str]:
    first, last = period
    if column == "Month":
        first, last = first.replace(day=1), last.replace(day=1)
    if first == last:
        return {column: first.isoformat()}
    return {f"{column}__gte": first.isoformat(), f"{column}__lte": last.isoformat()}


def _fewest(frame: Frame, draft: Plan) -> tuple[str, ...]:
    """Of the fewest late flights: an hour with a single flight would be the best of all."""
    is_outcome = draft.aggregates[0].startswith("sum:") and len(draft.aggregates) > 1
    return draft.enough() if frame.by == "least" and is_outcome else ()


def _ranked(frame: Frame, draft: Plan) -> Plan:
    """The plan with its order, its number of rows, and the least flights of each group."""
    sign = {"most": "-", "least": ""}.get(frame.by)
    key = draft.group_by[0].replace(":", "_")
    order = key if sign is None else f"{sign}{draft.column(draft.aggregates[0])}"
    many = frame.group in ("date", "route", "flight") and frame.rank
    limit = min(frame.top or (SHORT if many else MOST), MOST)
    in_time = frame.group in TIMES and not frame.rank
    having = () if in_time else draft.least() or _fewest(frame, draft)
    return replace(draft, having=having, order_by=(order,), limit=limit)
