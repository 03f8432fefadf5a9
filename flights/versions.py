"""Find the published version of a table and read its rows.

A version is an immutable copy of a table, in a PostgreSQL relation of its own. All statements of a
request name the same relation, so readers and a publishing transfer never wait for each other.
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.apps.registry import Apps
from django.db import DataError, OperationalError, ProgrammingError, connections, models
from django.db.models import Value
from django.db.models.functions import Cast
from psycopg.errors import UndefinedTable

from . import sqlstates
from .errors import Gone, NeverTransferred, Unavailable
from .finite import finite, refusal
from .mirror import MirroredTable, public
from .models import TableVersion

READER = "reader"  # database alias of the role that may only read
CACHED_FOR = 0.25  # seconds
NOT_YET = "This replica of the database does not have {} yet."


class _Cache(threading.local):
    """The versions that this thread looked up, by table, with the time of the look-up.

    Each thread has a connection of its own. Two connections to one address may reach two replicas,
    of which one lags, so a thread uses only what its own connection returned.
    """

    def __init__(self) -> None:
        self.versions: dict[str, tuple[float, TableVersion]] = {}


_cache = _Cache()


def current(model: type[MirroredTable]) -> TableVersion:
    """Return the published version of a table; raises NeverTransferred if it has none."""
    table = model._meta.db_table
    version = TableVersion.objects.using(READER).filter(published__table=table).first()
    if version is None:
        raise NeverTransferred(table)
    return version


def current_cached(model: type[MirroredTable]) -> TableVersion:
    """Like `current`, but looked up at most every `CACHED_FOR` seconds in each thread.

    A look-up for each query would take a third of the query's time.
    """
    table = model._meta.db_table
    cached_at, version = _cache.versions.get(table, (0.0, None))
    now = time.monotonic()
    if version is None or now - cached_at > CACHED_FOR:
        version = current(model)
        _cache.versions[table] = now, version
    return version


def by_number(model: type[MirroredTable], number: int) -> TableVersion:
    """Return a version that is or was published; raises Gone if there is no such version.

    Raises Unavailable if a replica may not have it yet: the version came from another server.
    """
    table = model._meta.db_table
    published = TableVersion.objects.using(READER).filter(table=table, published_at__isnull=False)
    if version := published.filter(number=number).first():
        return version
    if not published.filter(number__gt=number).exists() and _is_replica():
        raise Unavailable(f"{NOT_YET.format(f'version {number}')} Try again in a moment.", 1)
    raise Gone(f"Version {number} is not available. Start again with an empty cursor=")


def _is_replica() -> bool:
    with connections[READER].cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


def read[T](
    model: type[MirroredTable], reader: Callable[[TableVersion], T], number: int | None = None
) -> T:
    """Call `reader` with the version of a number, or with the current version."""
    return with_retry(
        lambda: reader(current_cached(model) if number is None else by_number(model, number))
    )


def with_retry[T](read: Callable[[], T]) -> T:
    """Call a function that looks up versions and reads them; call it once more if that can help.

    It helps if a version was pruned between the two steps, if the connection was closed, and if a
    replica cancelled the query to replay a change of the primary, such as the end of an old
    version. All other errors are raised. Raises Unavailable if the version is missing twice, which
    happens if it was looked up on another replica.
    """
    try:
        return read()
    except ProgrammingError as error:
        if not _is_missing(error):
            raise
    except DataError as error:
        raise refusal(error) from error
    except OperationalError as error:
        if not (_discard_closed_connection() or _is_conflict(error)):
            raise
    _cache.versions.clear()
    try:
        return read()
    except ProgrammingError as error:
        if not _is_missing(error):
            raise
        raise Unavailable(f"{NOT_YET.format('this version')} Try again in a moment.", 1) from error


def _is_missing(error: ProgrammingError) -> bool:
    return isinstance(error.__cause__, UndefinedTable)


def _is_conflict(error: OperationalError) -> bool:
    """Whether PostgreSQL rolled the query back: "conflict with recovery" on a replica."""
    return sqlstates.sqlstate(error).startswith(sqlstates.ROLLED_BACK)


def _discard_closed_connection() -> bool:
    """Make Django open a new connection if this thread's connection is closed.

    Doing so after a failure is cheaper than testing the connection before each query.
    """
    reader: Any = connections[READER]
    if reader.connection is None or not reader.connection.closed:
        return False
    reader.close()
    return True


def rows(model: type[MirroredTable], version: TableVersion) -> "models.QuerySet[Any]":
    """Return all rows of a version, read by the reader role.

    Columns that were added to the model after the version was made are typed nulls. So the old and
    the new code can read the same versions during a deployment.
    """
    missing = [f for f in model.columns() if public(f) not in version.columns]
    names = frozenset(f.name for f in missing)
    relation = _relation(model, version.relation, names, _not_finite(model, version))
    nulls = {f.name: Cast(Value(None), output_field=f.clone()) for f in missing}
    queryset: models.QuerySet[Any] = relation._base_manager.using(READER).annotate(**nulls)
    return queryset


def _not_finite(model: type[MirroredTable], version: TableVersion) -> frozenset[str]:
    """The float columns that may contain NaN or infinity.

    Only these are read through an expression; queries of the other columns can use their indexes.
    """
    floats = [f for f in model.columns() if isinstance(f, models.FloatField)]
    names = version.not_finite  # None: unknown
    return frozenset(f.name for f in floats if names is None or public(f) in names)


# Creating a class takes 1 ms. The cache holds many times the stored versions of all tables.
@lru_cache(maxsize=256)
def _relation(
    model: type[MirroredTable], name: str, missing: frozenset[str], not_finite: frozenset[str]
) -> type[models.Model]:
    """Make a Django model of one version's relation, without its missing columns."""
    meta = type(
        "Meta", (), {"db_table": name, "managed": False, "app_label": "flights", "apps": Apps()}
    )
    fields = {
        f.name: finite(f) if f.name in not_finite else f.clone()
        for f in model._meta.concrete_fields
        if f.name not in missing
    }
    return type(model.__name__, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
