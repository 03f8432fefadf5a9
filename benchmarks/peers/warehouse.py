"""Connect the loading tools to the benchmark's SQL warehouse."""

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

from databricks import sql


def connect() -> Any:
    url = urlsplit(os.environ["WAREHOUSE_URL"])
    _, catalog, schema = url.path.split("/")
    path = parse_qs(url.query)["http_path"][0]
    return sql.connect(
        server_hostname=url.netloc,
        http_path=path,
        catalog=catalog,
        schema=schema,
        access_token=os.environ["DATABRICKS_TOKEN"],
        _connection_uri=f"http://{url.netloc}{path}",
        enable_telemetry=False,
    )
