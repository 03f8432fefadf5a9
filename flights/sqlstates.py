"""Which errors of PostgreSQL pass by themselves, by their SQLSTATE.

Whatever retries work in the database decides by this table alone. All other errors are permanent:
the same statement fails the same way until somebody changes the data, the code or the server.
"""

from django.db import DatabaseError, InterfaceError, OperationalError

# A code or the begin of one; the longest that fits decides. PostgreSQL's manual, appendix A.
PASSING = {
    "08": True,  # the connection broke
    "25006": True,  # the server is a standby, as in the middle of a failover
    "25P03": True,  # the transaction was idle for too long
    "25P04": True,  # the transaction took too long
    "40": True,  # rolled back for others, such as a deadlock
    "53": True,  # no memory, disk or connection is free
    "53400": False,  # a limit of the server's configuration
    "55006": True,  # others use the object
    "55P03": True,  # others hold the lock
    "57P": True,  # the server stops or starts
    "57P04": False,  # the database was dropped
    "58": True,  # the operating system failed
}
TOO_LARGE = "54"  # a statement, or what it makes, is beyond a limit of the program


def passes(error: BaseException) -> bool:
    """Whether the same statement may succeed later though nobody changes anything."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    if code := sqlstate(error):
        fitting = [begin for begin in PASSING if code.startswith(begin)]
        return bool(fitting) and PASSING[max(fitting, key=len)]
    # Without a code the error comes from the driver: of these two kinds, for want of a connection.
    return isinstance(error, OperationalError | InterfaceError)


def sqlstate(error: BaseException) -> str:
    """The code that PostgreSQL gave an error of Django's; "" where it gave none."""
    return getattr(error.__cause__, "sqlstate", None) or ""
