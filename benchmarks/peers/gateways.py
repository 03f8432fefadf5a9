"""Other systems that answer the same queries of the same rows, in their usual configuration."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from airsense.data_folder import PROJECT
from benchmarks.queries import TABLE, THRESHOLD, Query, path_with_params
from tests.platform import free_port, listens, until

BIN = PROJECT / ".venv-bench" / "bin"
GUNICORN = ["gunicorn", "--workers=2", "--log-level=error", "--bind=127.0.0.1:{port}"]


@dataclass(frozen=True)
class Peer:
    """A server, how it is queried, and how its responses are read."""

    name: str
    command: list[str]  # {port}, {other}, {more} and {folder} are replaced
    path: Callable[[Query], str]
    rows: Callable[[Any], list[dict[str, Any]]] = field(default=list)  # rows of a JSON response

    @contextmanager
    def running(self, folder: Path, **env: str) -> Iterator[str]:
        """Run the server with the environment variables `env`; yield its address."""
        values = {"folder": folder, "port": free_port(), "other": free_port(), "more": free_port()}
        program, *arguments = (part.format(**values) for part in self.command)
        with subprocess.Popen(
            [BIN / program, *arguments],
            cwd=PROJECT,
            env={**os.environ, **env, "RUST_LOG": "error"},
            stdout=subprocess.DEVNULL,
        ) as process:
            try:
                until(lambda: process.poll() is not None or listens(int(str(values["port"]))))
                assert process.poll() is None, f"{self.name} ended"
                yield f"http://127.0.0.1:{values['port']}"
            finally:
                process.terminate()


def _quoted(name: str) -> str:
    return f'"{name}"'


def _first_gateway(query: Query) -> str:
    params = {
        "table_name": TABLE,
        "columns": ",".join(map(_quoted, query.columns)),
        "where": f"{_quoted(THRESHOLD)} >= {query.threshold}",
        "order_by": _quoted(query.order),
        "order_direction": "DESC" if query.descending else "ASC",
        "limit": query.limit,
    }
    return f"/api/dynamic_query?{urlencode(params)}"


def _plain_drf(query: Query) -> str:
    return path_with_params("/airports/", query, f"{THRESHOLD}__gte", "ordering")


def _datasette(query: Query) -> str:
    """Disables the count, facets and suggestions that Datasette computes by default."""
    params = [
        *(("_col", column) for column in query.columns),
        (f"{THRESHOLD}__gte", query.threshold),
        ("_sort_desc" if query.descending else "_sort", query.order),
        ("_size", query.limit),
        *((f"_no{extra}", 1) for extra in ("count", "facet", "suggest")),
        ("_shape", "array"),
    ]
    return f"/rows/{TABLE}.json?{urlencode(params)}"


def _roapi(query: Query) -> str:
    return path_with_params(f"/api/tables/{TABLE}", query, f"filter[{THRESHOLD}]gte", "sort")


PEERS = [
    Peer(
        "the first gateway's design: Flask, SQLAlchemy, gunicorn",
        [*GUNICORN, "benchmarks.peers.first_gateway:app"],
        _first_gateway,
    ),
    Peer(
        "plain Django REST framework, gunicorn",
        [*GUNICORN, "benchmarks.peers.plain_drf:app"],
        _plain_drf,
        lambda response: list(response["results"]),
    ),
    Peer(
        "Datasette on SQLite",
        ["datasette", "serve", "--immutable={folder}/rows.db", "--port={port}"],
        _datasette,
    ),
    Peer(
        "roapi, rows in memory",
        [
            "roapi",
            "--addr-http=127.0.0.1:{port}",
            "--addr-postgres=127.0.0.1:{other}",
            "--addr-flight-sql=127.0.0.1:{more}",
            f"--table={TABLE}={{folder}}/rows.parquet",
        ],
        _roapi,
    ),
]
