"""Tell transient errors of PostgreSQL from permanent ones, by their SQLSTATE.

All retries of database work use this table. After a permanent error the same statement fails the
same way until somebody changes the data, the code or the server.
"""

from django.db import DatabaseError, InterfaceError, OperationalError

# SQLSTATEs and prefixes of them; the longest that matches decides whether an error is transient.
# Source: PostgreSQL manual, appendix A, "PostgreSQL Error Codes".
TRANSIENT = {
    "08": True,  # the connection broke
    "25006": True,  # the server is a standby, as in the middle of a failover
    "25P03": True,  # the transaction was idle for too long
    "25P04": True,  # the transaction took too long
    "40": True,  # the transaction was rolled back, for example because of a deadlock
    "53": True,  # memory, disk or connections are exhausted
    "53400": False,  # a configured limit is exceeded
    "55006": True,  # the object is in use
    "55P03": True,  # the lock is not available
    "57P": True,  # the server is starting or stopping
    "57P04": False,  # the database was dropped
    "58": True,  # the operating system failed
}
ROLLED_BACK = "40"  # also a query that a replica cancelled ("conflict with recovery")
OUT_OF_RANGE = "22003"  # a computed number exceeds the range of its type
TOO_LARGE = "54"  # the statement or its result exceeds a limit of PostgreSQL


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may succeed later although nobody changes anything."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    if code := sqlstate(error):
        prefixes = [prefix for prefix in TRANSIENT if code.startswith(prefix)]
        return bool(prefixes) and TRANSIENT[max(prefixes, key=len)]
    # Without a code the driver raised the error; these two classes mean a lost connection.
    return isinstance(error, OperationalError | InterfaceError)


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE of a Django database error; "" if the driver raised it without one."""
    return getattr(error.__cause__, "sqlstate", None) or ""
