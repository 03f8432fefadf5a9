"""Continue a conversation: "and on Mondays?" keeps the question before it."""

from dataclasses import replace

from .constituents import Constituent
from .frame import Frame

FILTERS = ("airlines", "origins", "destinations", "flight", "period", "weekdays", "hours")
# The filter that fixes a group: after "which airline is best?", "and Delta?" groups no more.
FIXES = {
    "airline": "airlines",
    "origin": "origins",
    "destination": "destinations",
    "weekday": "weekdays",
    "hour": "hours",
    "month": "period",
    "date": "period",
    "flight": "flight",
}


def begins_with_and(parts: list[Constituent]) -> bool:
    """Whether the words say that the question continues another."""
    return parts[0].rule == "follow" or parts[0].tokens[0].type in ("AND", "OR")


def continues(parts: list[Constituent], new: Frame) -> bool:
    """Whether a question continues the one before, or is only a part of one."""
    if begins_with_and(parts) or not (new.measure or new.rank or new.group):
        return True
    filtered = any(getattr(new, name) for name in FILTERS) or new.group
    return not filtered and not any(part.has("FLIGHTS") for part in parts)  # "how many are late?"


def merge(before: Frame, new: Frame) -> Frame:
    """The question before, with what the new one changes."""
    changes = {name: value for name in FILTERS if (value := getattr(new, name))}
    if "airlines" in changes:
        changes.setdefault("flight", None)
    if changes.get("flight"):
        changes.setdefault("airlines", ())
    has_measure = new.measure and new.measure.name != "flights"
    fixed = not new.group and FIXES.get(before.group) in changes
    return replace(
        before,
        **changes,
        measure=new.measure if has_measure else before.measure,
        group="" if fixed else new.group or before.group,
        rank=new.rank if fixed else new.rank or before.rank,
        top=new.top,
    )
