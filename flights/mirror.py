"""What it means for a model to mirror a table of the warehouse."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.core import checks
from django.db import models

# Parameters of the query API; a column of such a name could not be filtered.
RESERVED = {
    *("columns", "order_by", "limit", "offset", "cursor", "format", "where", "order_direction"),
    *("group_by", "aggregate", "having", "count", "facets"),
}
# `or`, `or1` to `or9`: each a group of conditions of which one has to hold.
GROUP = re.compile(r"or\d?", re.IGNORECASE)
SPEAKABLE = re.compile(r"(?!__|not$)[A-Za-z_]\w*", re.ASCII)  # what GraphQL can call a column
# Freshness is looked at once a minute.
SHORTEST = timedelta(minutes=1)

type Field = models.Field[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """The facts about a mirrored table that its fields cannot express. Names are field names."""

    order: tuple[str, ...]  # how rows are ordered when nobody asks; "-" before a name descends
    key: tuple[str, ...] = ()  # what identifies a row in the warehouse; empty where nothing does
    # A transfer reads only rows with greater values of this column, which the order begins with.
    grows_by: str = ""
    by_changes: bool = False  # a transfer reads only what the warehouse's change feed has, by key
    # Made for each version before it is published; "-" before a name descends, nulls last.
    indexes: tuple[tuple[str, ...], ...] = ()
    facets: tuple[str, ...] = ()  # columns whose values a query may count
    # What a number counts or measures, such as "minutes".
    units: Mapping[str, str] = field(default_factory=dict)
    # Administrators are alerted where the table was not found equal to its source for so long.
    fresh_within: timedelta | None = None


class LocalDateTimeField(models.DateTimeField):  # type: ignore[type-arg]  # it has none here
    """A time without a zone, as clocks showed it somewhere."""

    def db_type(self, connection: Any) -> str:
        return "timestamp"

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(value)  # a DateTimeField would put it into a zone


class MirroredTable(models.Model):
    """A read-only copy of a warehouse table of the same name; `transfers` alone writes it.

    `db_table` and each `db_column` are the warehouse's names and the public ones. The relation of
    that name is a view of the current version, for SQL users and the admin; the gateway reads
    versions by `flights.versions`.
    """

    mirror: ClassVar[Mirror]
    id = models.BigIntegerField(primary_key=True, editable=False)

    class Meta:
        abstract = True
        managed = False

    @classmethod
    def columns(cls) -> list["models.Field[Any, Any]"]:
        """The public columns, in the warehouse's order."""
        return [f for f in cls._meta.concrete_fields if not f.primary_key]

    @classmethod
    def sequence(cls) -> list["models.Field[Any, Any]"]:
        """By what rows follow each other that are equal otherwise: their number, in declared order.

        PostgreSQL does not know that numbers rise with the first column of that order. Where that
        is named before them, an index of it serves the rows of a few days at any size of the table;
        a text is left out, whose order here is not the warehouse's.
        """
        first = next((f for f in cls.columns() if f.name == cls.mirror.order[0]), None)
        rises = first and not (may_be_empty(first) or isinstance(first, models.TextField))
        return [*([first] if first and rises else []), cls._meta.pk]

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        own = (_unknown_names, _unusable_names, _modes, _freshness)
        return [*super().check(**kwargs), *(wrong for check in own for wrong in check(cls))]


def public(field: "models.Field[Any, Any]") -> str:
    """The name of a column in the warehouse, in PostgreSQL and in answers."""
    assert field.column, f"{field} is no column"
    return field.column


def may_be_empty(field: "models.Field[Any, Any]") -> bool:
    """Whether a row may lack a value of a column; NaN and infinity are none (`flights.finite`)."""
    return field.null or isinstance(field, models.FloatField)


def column(model: type[MirroredTable], name: str) -> str:
    """The public name of a field."""
    return next(public(field) for field in model.columns() if field.name == name)


def _unknown_names(model: type[MirroredTable]) -> list[checks.CheckMessage]:
    mirror = model.mirror
    fields = {f.name for f in model.columns()}
    used = (*mirror.order, *mirror.key, *mirror.facets, *mirror.units, *sum(mirror.indexes, ()))
    names = {n.removeprefix("-") for n in used}
    return [
        checks.Error(
            f"{model.__name__}.mirror names {name!r}, which is not a column.",
            hint=f"Use one of {', '.join(sorted(fields))}.",
            obj=model,
            id="flights.E001",
        )
        for name in sorted(names - fields)
    ]


def _modes(model: type[MirroredTable]) -> list[checks.CheckMessage]:
    mirror = model.mirror
    wrong = {
        "grows_by is not the first column of the order": mirror.grows_by
        and mirror.order[:1] != (mirror.grows_by,),
        "by_changes needs a key": mirror.by_changes and not mirror.key,
        "grows_by and by_changes are two ways: choose one": mirror.grows_by and mirror.by_changes,
    }
    return [
        checks.Error(f"{model.__name__}.mirror: {problem}.", obj=model, id="flights.E003")
        for problem, is_so in wrong.items()
        if is_so
    ]


def _freshness(model: type[MirroredTable]) -> list[checks.CheckMessage]:
    within: Any = model.mirror.fresh_within
    if within is None or (isinstance(within, timedelta) and within >= SHORTEST):
        return []
    return [
        checks.Error(
            f"{model.__name__}.mirror has fresh_within={within!r}, which cannot be held.",
            hint=f"Use a timedelta of at least {SHORTEST}, or leave it out.",
            obj=model,
            id="flights.E004",
        )
    ]


def _unusable_names(model: type[MirroredTable]) -> Iterator[checks.CheckMessage]:
    for name in map(public, model.columns()):
        has = f"{model.__name__} has a column {name!r}, which"
        rename = "Rename it in the broker's SQL"
        if name.lower() in RESERVED or GROUP.fullmatch(name.lower()):
            problem = f"{has} is a parameter of the query API."
            yield checks.Error(problem, hint=f"{rename}.", obj=model, id="flights.E002")
        if not SPEAKABLE.fullmatch(name):
            allowed = f"{rename}: letters, digits and _, and not 'not'."
            yield checks.Error(f"{has} GraphQL cannot call so.", allowed, model, "flights.E005")
