"""What is published now, and how a version's rows are read.

Readers name the relation of one version in all that they do for a request, so a publish never
waits for them, nor they for it.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.apps.registry import Apps
from django.db import OperationalError, ProgrammingError, connections, models
from django.db.models import Value
from django.db.models.functions import Cast
from psycopg.errors import UndefinedTable

from .errors import Gone, NeverTransferred
from .finite import finite
from .mirror import MirroredTable, public
from .models import TableVersion

READER = "reader"  # the database alias of the role that can only read
GOOD_FOR = 0.25  # seconds
_seen: dict[str, tuple[float, TableVersion]] = {}


def current(model: type[MirroredTable]) -> TableVersion:
    """The published version of a table; NeverTransferred where there is none."""
    table = model._meta.db_table
    version = TableVersion.objects.using(READER).filter(published__table=table).first()
    if version is None:
        raise NeverTransferred(table)
    return version


def seen(model: type[MirroredTable]) -> TableVersion:
    """The published version as this process saw it a moment ago.

    To ask for each query would be a third of the query's time.
    """
    table = model._meta.db_table
    asked, version = _seen.get(table, (0.0, None))
    now = time.monotonic()
    if version is None or now - asked > GOOD_FOR:
        version = current(model)
        _seen[table] = now, version
    return version


def kept(model: type[MirroredTable], number: int) -> TableVersion:
    """A published version that is not pruned yet; Gone where it is."""
    there = TableVersion.objects.using(READER).filter(published_at__isnull=False)
    version = there.filter(table=model._meta.db_table, number=number).first()
    if version is None:
        raise Gone(f"Version {number} is not kept any more. Begin again with cursor=")
    return version


def read[T](
    model: type[MirroredTable], answer: Callable[[TableVersion], T], number: int | None = None
) -> T:
    """`answer` of the current version, or of that of a number."""
    return twice(lambda: answer(seen(model) if number is None else kept(model, number)))


def twice[T](asked: Callable[[], T]) -> T:
    """What finds its versions and reads them.

    Asked once more where one was pruned in between, and where PostgreSQL had ended connections.
    """
    try:
        return asked()
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
    except OperationalError:
        if not _reconnected():
            raise
    _seen.clear()
    return asked()


def _reconnected() -> bool:
    """Whether this thread's connection was lost; if so, it is given up.

    That is cheaper than to try it before each query.
    """
    reader: Any = connections[READER]
    if reader.connection is None or not reader.connection.closed:
        return False
    reader.close()
    return True


def rows(model: type[MirroredTable], version: TableVersion) -> "models.QuerySet[Any]":
    """The rows of one version, for the reader's role.

    A column that the model gained since is a typed null, so that the code before and after a
    change reads the same versions side by side.
    """
    gained = [f for f in model.columns() if public(f) not in version.columns]
    gained_names = frozenset(f.name for f in gained)
    relation = _relation(model, version.relation, gained_names, _not_finite(model, version))
    nulls = {f.name: Cast(Value(None), output_field=f.clone()) for f in gained}
    found: models.QuerySet[Any] = relation._base_manager.using(READER).annotate(**nulls)
    return found


def _not_finite(model: type[MirroredTable], version: TableVersion) -> frozenset[str]:
    """The columns that may hold NaN or infinity; an index serves the others as they are."""
    floats = [f for f in model.columns() if isinstance(f, models.FloatField)]
    held = version.not_finite
    return frozenset(f.name for f in floats if held is None or public(f) in held)


@lru_cache(maxsize=256)  # a class costs 1 ms to make; kept versions of all tables fit many times
def _relation(
    model: type[MirroredTable], name: str, without: frozenset[str], not_finite: frozenset[str]
) -> type[models.Model]:
    """The model of one version's relation: the table's columns but those it does not have."""
    meta = type(
        "Meta", (), {"db_table": name, "managed": False, "app_label": "flights", "apps": Apps()}
    )
    fields = {
        f.name: finite(f) if f.name in not_finite else f.clone()
        for f in model._meta.concrete_fields
        if f.name not in without
    }
    return type(model.__name__, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
