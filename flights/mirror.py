"""Base class of models that mirror a warehouse table, and the checks of their declarations."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.core import checks
from django.db import models

from .quality import Check

# Parameters of the query API: a column with one of these names could not be filtered.
RESERVED = {
    *("columns", "order_by", "limit", "offset", "cursor", "format", "where", "order_direction"),
    *("group_by", "aggregate", "having", "count", "facets"),
}
# Parameters `or`, `or1` to `or9`: each is a list of conditions of which at least one must be true.
GROUP = re.compile(r"or\d?", re.ASCII | re.IGNORECASE)
GRAPHQL_NAME = re.compile(r"(?!__|not$)[A-Za-z_]\w*", re.ASCII)
LONGEST_NAME = 63  # bytes; PostgreSQL cuts what is longer
# Ends the longest name that is made of a table's: that of the dictionary of a version.
LONGEST_SUFFIX = "__v9999999__values"
# A schedule transfers changed tables every hour, so a day without a comparison needs attention.
DAILY = timedelta(days=1)
SHORTEST = timedelta(minutes=1)  # a schedule checks freshness once a minute

type Field = models.Field[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """The properties of a mirrored table that its fields cannot express; columns by field name."""

    order: tuple[str, ...]  # default order of rows; "-" before a name means descending
    key: tuple[str, ...] = ()  # columns that identify a row; empty: rows have no key
    # The name in the warehouse if it is not `db_table`, such as "catalog.schema.`my table`".
    source: str = ""
    # False: the source is a view or another table without versions, so a transfer reads it once,
    # by one query, into a table of the warehouse.
    pinned: bool = True
    # Append mode: a transfer reads only rows with a greater value of this column. It must be the
    # first column of `order`.
    grows_by: str = ""
    # Change mode: a transfer reads only the rows in the warehouse's change feed; needs `key`.
    by_changes: bool = False
    # Text columns that hold JSON: values of the warehouse's types VARIANT, INTERVAL, ARRAY, MAP and
    # STRUCT, which have no type of their own here.
    json: tuple[str, ...] = ()
    # Indexes of each version; "-" before a name means descending, with nulls last.
    indexes: tuple[tuple[str, ...], ...] = ()
    facets: tuple[str, ...] = ()  # columns of which a query may count the values
    # Columns whose values search does not find: numbers and times that nobody would look for.
    unsearched: tuple[str, ...] = ()
    # What a numeric column counts or measures, for example "minutes".
    units: Mapping[str, str] = field(default_factory=dict)
    rows: str = "rows"  # what the rows are, for people: "flights", "airlines"
    # The column that counts the flights on which the figures of another column rest.
    flights: Mapping[str, str] = field(default_factory=dict)
    # Longest time since the table was last equal to its source; then an alert is raised.
    fresh_within: timedelta | None = None
    # What must hold of the rows before they are published; see `flights.quality`.
    checks: tuple[Check, ...] = ()


class LocalDateTimeField(models.DateTimeField):  # type: ignore[type-arg]  # not generic
    """A date and time without a time zone."""

    def db_type(self, connection: Any) -> str:
        return "timestamp"

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(value)  # DateTimeField would add a time zone


class MirroredTable(models.Model):
    """A read-only copy of the warehouse table of the same name, which only `transfers` writes.

    `db_table` and each `db_column` are the names in the warehouse and in the API. In PostgreSQL,
    `db_table` is a view of the current version for SQL users and the admin. The API reads the
    relation of a version instead: see `flights.versions`.
    """

    mirror: ClassVar[Mirror]
    id = models.BigIntegerField(primary_key=True, editable=False)

    class Meta:
        abstract = True
        managed = False

    @classmethod
    def columns(cls) -> list["models.Field[Any, Any]"]:
        """Return the public columns, in the order of the warehouse table."""
        return [f for f in cls._meta.concrete_fields if not f.primary_key]

    @classmethod
    def sequence(cls) -> list["models.Field[Any, Any]"]:
        """Return the fields that sort rows by default and break ties in any other order.

        Row ids follow the declared order, so `id` alone would do. PostgreSQL does not know that
        ids rise with the first column of that order: naming this column, too, lets its index serve
        a range of it in a table of any size. A nullable column or a text is left out, because
        PostgreSQL may sort it differently from the warehouse.
        """
        first = next((f for f in cls.columns() if f.name == cls.mirror.order[0]), None)
        rising = first and not (may_be_empty(first) or isinstance(first, models.TextField))
        return [*([first] if first and rising else []), cls._meta.pk]

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        """Check the declaration of the table, in addition to Django's own checks."""
        own = (_unknown_names, _unusable_names, _long_names, _modes, _freshness, _json)
        return [*super().check(**kwargs), *(error for check in own for error in check(cls))]


def public(field: "models.Field[Any, Any]") -> str:
    """Return the name of a column in the warehouse, in PostgreSQL and in the API."""
    assert field.column, f"{field} is not a column"
    return field.column


def may_be_empty(field: "models.Field[Any, Any]") -> bool:
    """Whether a query may read null from a column; NaN and infinity are null (`flights.finite`)."""
    return field.null or isinstance(field, models.FloatField)


def column(model: type[MirroredTable], name: str) -> str:
    """Return the public name of the field with a name."""
    return next(public(field) for field in model.columns() if field.name == name)


def _unknown_names(model: type[MirroredTable]) -> list[checks.CheckMessage]:
    mirror = model.mirror
    fields = {f.name for f in model.columns()}
    alone = (mirror.order, mirror.key, mirror.facets, mirror.unsearched, mirror.json)
    lists = (*alone, *mirror.indexes)
    checked = (name for check in mirror.checks for name in check.names())
    mapped = (*mirror.units, *mirror.flights, *mirror.flights.values())
    names = {n.removeprefix("-") for n in (*sum(lists, ()), *mapped, *checked)}
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
    problems = {
        "grows_by is not the first column of the order": mirror.grows_by
        and mirror.order[:1] != (mirror.grows_by,),
        "by_changes needs a key": mirror.by_changes and not mirror.key,
        "grows_by and by_changes exclude each other: choose one": mirror.grows_by
        and mirror.by_changes,
    }
    return [
        checks.Error(f"{model.__name__}.mirror: {problem}.", obj=model, id="flights.E003")
        for problem, exists in problems.items()
        if exists
    ]


def _json(model: type[MirroredTable]) -> list[checks.CheckMessage]:
    texts = {f.name for f in model.columns() if isinstance(f, models.TextField)}
    return [
        checks.Error(
            f"{model.__name__}.mirror has the column {name!r} in json, which is not a TextField.",
            hint="JSON is a text: declare the column as a TextField.",
            obj=model,
            id="flights.E006",
        )
        for name in model.mirror.json
        if name in {f.name for f in model.columns()} - texts
    ]


def _freshness(model: type[MirroredTable]) -> list[checks.CheckMessage]:
    within: Any = model.mirror.fresh_within
    if within is None or (isinstance(within, timedelta) and within >= SHORTEST):
        return []
    return [
        checks.Error(
            f"{model.__name__}.mirror has the invalid fresh_within={within!r}.",
            hint=f"Use a timedelta of at least {SHORTEST}, or leave it out.",
            obj=model,
            id="flights.E004",
        )
    ]


def _unusable_names(model: type[MirroredTable]) -> Iterator[checks.CheckMessage]:
    for name in map(public, model.columns()):
        column_is = f"{model.__name__} has a column {name!r}, which is"
        rename = "Rename it in the broker's SQL"
        if name.lower() in RESERVED or GROUP.fullmatch(name.lower()):
            problem = f"{column_is} a parameter of the query API."
            yield checks.Error(problem, hint=f"{rename}.", obj=model, id="flights.E002")
        if not GRAPHQL_NAME.fullmatch(name):
            problem = f"{column_is} not a valid name in GraphQL."
            hint = f"{rename}: use letters, digits and _, and not 'not'."
            yield checks.Error(problem, hint=hint, obj=model, id="flights.E005")


def _long_names(model: type[MirroredTable]) -> Iterator[checks.CheckMessage]:
    """Find names that PostgreSQL would cut, so that those of two relations or columns are equal."""
    limits = dict.fromkeys(map(public, model.columns()), LONGEST_NAME)
    limits[model._meta.db_table] = LONGEST_NAME - len(LONGEST_SUFFIX)
    for name, limit in limits.items():
        if len(name.encode()) > limit:
            problem = f"{model.__name__} has the name {name!r}, which is longer than {limit} bytes."
            hint = "Shorten it; Mirror.source can name the table as the warehouse does."
            yield checks.Error(problem, hint=hint, obj=model, id="flights.E007")
