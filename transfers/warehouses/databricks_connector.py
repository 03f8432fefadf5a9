"""databricks-sql-connector, imported without pandas.

The connector needs pandas for rows as Python objects, which nobody asks for here: batches stay
Arrow. So an empty module stands in for it while the connector is imported, and no longer. pandas
and NumPy would add 100 MB to every installation.
"""

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

# What these log of failures has signed links in it; what matters is raised as well.
for _name in ("databricks.sql", "databricks.sql.unsafe", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
