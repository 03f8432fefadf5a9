"""The parts of a WAREHOUSE_URL for Spark: spark://HOST:PORT/CATALOG/SCHEMA?tls=true&files=/FOLDER."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from . import LOOPBACK, bad_url
from . import spark_sql as sql

FORM = "spark://HOST:PORT/CATALOG/SCHEMA?tls=true"
PORT = 15002


@dataclass(frozen=True)
class Address:
    """The parts of a WAREHOUSE_URL for Spark."""

    host: str
    port: int
    catalog: str
    schema: str
    tls: bool
    files: Path | None = None  # a folder that this machine and the cluster share

    @classmethod
    def of(cls, url: str) -> Self:
        """Parse a URL; WarehouseError if it is incomplete or contains credentials."""
        parts, query = urlsplit(url), dict(parse_qsl(urlsplit(url).query))
        names = [name for name in parts.path.split("/") if name]
        if parts.username or parts.password or "token" in query:
            raise bad_url("WAREHOUSE_URL contains credentials", "Put them into SPARK_TOKEN")
        if not parts.hostname or len(names) not in (0, 2):
            raise bad_url(f"{url!r} is not of the form {FORM}", "Correct WAREHOUSE_URL")
        if unknown := sorted(query.keys() - {"tls", "files"}):
            problem = f"WAREHOUSE_URL has unknown parameters: {', '.join(unknown)}"
            raise bad_url(problem, "Use tls and files")
        tls, files = query.get("tls", "false"), query.get("files", "")
        if tls not in ("true", "false"):
            raise bad_url(f"tls={tls} in WAREHOUSE_URL is neither true nor false", "Correct it")
        if files and not Path(files).is_absolute():
            raise bad_url(f"files={files} in WAREHOUSE_URL is not an absolute path", "Correct it")
        if settings.SPARK_TOKEN and tls == "false" and parts.hostname not in LOOPBACK:
            raise bad_url(
                f"The token would travel to {parts.hostname} unencrypted",
                "Add tls=true to WAREHOUSE_URL",
            )
        catalog, schema = names or ("spark_catalog", "default")
        folder = Path(files) if files else None
        return cls(parts.hostname, parts.port or PORT, catalog, schema, tls == "true", folder)

    @property
    def uri(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sc://{host}:{self.port}"

    @property
    def namespace(self) -> str:
        return f"{sql.name(self.catalog)}.{sql.name(self.schema)}"
