"""The address of a Databricks SQL warehouse: the parts of a WAREHOUSE_URL."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlsplit

from . import LOOPBACK, bad_url

FORM = "databricks://HOST/CATALOG/SCHEMA?http_path=/sql/1.0/warehouses/ID"
VOLUME = "airsense"


@dataclass(frozen=True)
class Address:
    """The parts of a WAREHOUSE_URL for Databricks."""

    url: str  # https://HOST:PORT
    http_path: str
    catalog: str
    schema: str
    volume: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Parse a URL; WarehouseError if it is incomplete or contains credentials."""
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        names = parts.path.strip("/").split("/")
        unknown = sorted(query.keys() - {"http_path", "volume"})
        if parts.username or parts.password:
            raise bad_url("WAREHOUSE_URL contains credentials", "Put them into DATABRICKS_TOKEN")
        if not parts.hostname or len(names) != 2 or not all(names) or "http_path" not in query:
            raise bad_url(f"{url!r} is not of the form {FORM}", "Correct WAREHOUSE_URL")
        if unknown:
            problem = f"WAREHOUSE_URL has unknown parameters: {', '.join(unknown)}"
            raise bad_url(problem, "Use only http_path and volume")
        is_http = parts.scheme == "databricks+http"
        if is_http and parts.hostname not in LOOPBACK:
            raise bad_url(
                f"The token would travel to {parts.hostname} unencrypted", "Use databricks://"
            )
        base = f"http{'' if is_http else 's'}://{parts.hostname}:{parts.port or 443}"
        (path,), (volume,) = query["http_path"], query.get("volume", [VOLUME])
        return cls(base, path, names[0], names[1], volume)

    @property
    def host(self) -> str:
        return str(urlsplit(self.url).hostname)
