"""Serve a SQL warehouse until the process ends."""

import argparse
import os
import ssl
import sys
from pathlib import Path

import trustme

from transfers.warehouses import databricks_connector  # noqa: F401  # imports without pandas

from .server import CATALOG, HTTP_PATH, SCHEMA, VOLUME, Warehouse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="folder for tables and volumes")
    parser.add_argument("--host", default="127.0.0.1", help="address (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port (default: a free one)")
    parser.add_argument(
        "--tls", action="store_true", help="serve by TLS; its authority is FOLDER/ca.pem"
    )
    parser.add_argument(
        "--inline", action="store_true", help="send results inline, not as files behind links"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    tls = _tls(options.folder, options.host) if options.tls else None
    where = {"host": options.host, "port": options.port}
    with Warehouse(options.folder, links=not options.inline, tls=tls, **where) as server:
        scheme = "databricks" if tls else "databricks+http"
        host = server.url.partition("://")[2]
        url = f"{scheme}://{host}/{CATALOG}/{SCHEMA}?http_path={HTTP_PATH}&volume={VOLUME}"
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.1)


def _tls(folder: Path, address: str) -> ssl.SSLContext:
    """Make a certificate for localhost and an address; writes its authority to ca.pem."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", address).configure_cert(context)
    authority.cert_pem.write_to_path(os.fspath(folder / "ca.pem"))
    return context


if __name__ == "__main__":
    main()
