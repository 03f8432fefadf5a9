"""databricks-sql-connector, imported without pandas.

The connector needs pandas for rows as Python objects, which nobody asks for here: batches stay
Arrow. So an empty module stands in for it while the connector is imported, and no longer. pandas
and NumPy would add 100 MB to every installation.
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
finally:
    if _absent:
        del sys.modules["pandas"]

__all__ = ["Connection", "thrift_backend"]

# Files of results are bytes of some 20 MB each. glibc would come to keep the memory of such blocks
# when they are freed, 100 MB more at the end; larger ones than this go back at once.
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20
if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # other C libraries have none
    mallopt(M_MMAP_THRESHOLD, LARGE)

# What these log of failures has signed links in it; what matters is raised as well.
for _name in ("databricks.sql", "databricks.sql.unsafe", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
