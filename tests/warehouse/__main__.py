"""Serves a SQL warehouse on loopback until it is stopped."""

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
    parser.add_argument("--folder", type=Path, required=True, help="of its tables, versions, files")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--tls", action="store_true", help="FOLDER/ca.pem is the authority")
    parser.add_argument("--inline", action="store_true", help="no results behind links")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    tls = _tls(options.folder) if options.tls else None
    with Warehouse(options.folder, links=not options.inline, tls=tls, port=options.port) as server:
        scheme = "databricks" if tls else "databricks+http"
        host = server.url.partition("://")[2]
        where = f"{scheme}://{host}/{CATALOG}/{SCHEMA}?http_path={HTTP_PATH}&volume={VOLUME}"
        sys.stdout.write(f"{where}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.1)


def _tls(folder: Path) -> ssl.SSLContext:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(os.fspath(folder / "ca.pem"))
    return context


if __name__ == "__main__":
    main()
