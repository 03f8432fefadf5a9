"""Run a statement by libpq's own calls, and keep frequent statements prepared.

psycopg's cursor waits for PostgreSQL in Python, which takes as long as the rest of a small query,
and wakes other threads several times. A call of libpq waits in C, once.
"""

from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

USES = 5  # of a statement on a connection before it is prepared
# Prepared statements of a connection; each takes about 15 kB of PostgreSQL's memory.
PREPARED = 100
COUNTED = 4_096  # statements whose uses are counted

type Key = tuple[bytes, tuple[int, ...]]  # SQL, and the types of its parameters


def rows(connection: "psycopg.Connection[Any]", sql: str, values: list[Any]) -> list[Any]:
    """Run a statement with PostgreSQL's placeholders (`$1`); raises psycopg's errors."""
    transformer, pgconn = Transformer(connection), connection.pgconn
    params: Any = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    text, types, formats = sql.encode(), transformer.types or (), transformer.formats
    if name := _prepared(connection).name((text, types)):
        result = pgconn.exec_prepared(name, params, formats)
    else:
        result = pgconn.exec_params(text, params, types, formats)
    transformer.set_pgresult(_checked(pgconn, result))
    return transformer.load_rows(0, result.ntuples, tuple)


class Prepared:
    """The prepared statements of a connection."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self.pgconn = pgconn
        self.uses: dict[Key, int] = {}
        self.names: dict[Key, bytes] = {}

    def name(self, key: Key) -> bytes | None:
        """The name of a statement, which is prepared if it is frequent; None if it is not."""
        if name := self.names.get(key):
            return name
        self.uses[key] = uses = self.uses.get(key, 0) + 1
        if uses > USES:
            return self._prepare(key)
        if len(self.uses) > COUNTED:
            self.uses.clear()
        return None

    def _prepare(self, key: Key) -> bytes:
        if len(self.names) == PREPARED:
            _checked(self.pgconn, self.pgconn.exec_(b"DEALLOCATE ALL"))
            self.names.clear()
            self.uses.clear()
        name = b"frequent_%d" % len(self.names)
        _checked(self.pgconn, self.pgconn.prepare(name, *key))
        self.names[key] = name
        return name


_by_connection: "WeakKeyDictionary[psycopg.Connection[Any], Prepared]" = WeakKeyDictionary()


def _prepared(connection: "psycopg.Connection[Any]") -> Prepared:
    prepared = _by_connection.get(connection)
    if prepared is None:
        prepared = _by_connection[connection] = Prepared(connection.pgconn)
    return prepared


def _checked(pgconn: pq.abc.PGconn, result: pq.abc.PGresult) -> pq.abc.PGresult:
    """The result of a statement that succeeded; raises the error of one that failed."""
    if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        return result
    if pgconn.status == pq.ConnStatus.BAD and not result.error_field(pq.DiagnosticField.SQLSTATE):
        raise psycopg.OperationalError(pgconn.get_error_message())
    raise psycopg.errors.error_from_result(result)
