"""Import databricks-sql-connector without pandas.

The connector imports pandas to convert rows to Python objects, but this project reads only Arrow
batches. So an empty module takes the place of pandas during the import. pandas and NumPy would add
100 MB to every installation.
"""

import ctypes
import logging
import sys
from importlib.util import find_spec
from types import ModuleType

_absent = find_spec("pandas") is None
if _absent:
    sys.modules["pandas"] = ModuleType("pandas")
try:
    from databricks.sql.backend import thrift_backend  # otherwise imported by the first connection
    from databricks.sql.client import Connection

    from . import databricks_files  # noqa: F401  # replaces how the connector reads result files
finally:
    if _absent:
        del sys.modules["pandas"]

__all__ = ["Connection", "thrift_backend"]

# The connector downloads results in files of about 20 MB. By default glibc raises the size from
# which freed blocks return to the system, and so holds up to 100 MB; a fixed threshold prevents it:
# https://man7.org/linux/man-pages/man3/mallopt.3.html
M_MMAP_THRESHOLD, THRESHOLD_BYTES = -3, 1 << 20
if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # only glibc has it
    mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES)

# These loggers write signed download links on failures. The failures are raised anyway.
for _name in ("databricks.sql", "databricks.sql.unsafe", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
