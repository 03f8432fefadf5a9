"""Compare the gateway with other systems: the same queries of the same rows in the same run."""

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import plots, queries, report, wrk
from benchmarks.peers import gateways, pgbench, rows
from benchmarks.peers.gateways import Peer
from benchmarks.queries import Query
from benchmarks.target import Target
from benchmarks.wrk import Rate
from tests.nginx import in_front_of
from tests.platform import free_port, listens, until

CHECKED = 40  # queries whose rows are compared with AirSense's for each peer
WARM = f"/api/dynamic_query?table_name={queries.TABLE}&limit=10&order_by=Total_Avg_Delay"
CONSTANT = "limit: constant bytes from the same server"
type Rates = dict[str, Rate]


def run(target: Target, seconds: float) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database, paths = rows.copy(target, folder), wrk.warm_paths(target)
        rates = {
            **_limits(target, paths, seconds, database, folder),
            **_warm(target, paths, seconds),
            **_through_nginx(target, paths, seconds),
            **_cold(target, seconds),
            **_peers(target, seconds, database, folder),
        }
    constant, first = (rates[name].per_second for name in (CONSTANT, gateways.PEERS[0].name))
    table = [
        [lane, report.number(rate), f"{rate / constant:.1%}", f"{rate / first:.1f}", p99]
        for lane, (rate, p99, _) in rates.items()
    ]
    head = ["lane", "requests/s", "of constant bytes", "times the first design", "p99"]
    plots.bars("gateway", {lane: rate.per_second for lane, rate in rates.items()}, "requests/s")
    return [
        *report.table(head, table),
        "",
        "![Requests a second of each lane](benchmarks/gateway.svg)",
    ]


def _limits(target: Target, paths: list[str], seconds: float, database: str, folder: Path) -> Rates:
    """Measure the server without Django, Django without a query, and PostgreSQL alone."""
    with _constant(len(target.get(WARM).body)) as address:
        constant = {
            name: wrk.measure(address, lane, seconds, target.headers)
            for name, lane in ((CONSTANT, [WARM]), (f"{CONSTANT}, 500 queries", paths))
        }
    return {
        **constant,
        "limit: PostgreSQL alone, pgbench": pgbench.measure(
            database, queries.distinct(pgbench.SHAPES), seconds, folder
        ),
        "limit: an empty view of Django (/healthz)": _measured(target, ["/healthz"], seconds),
    }


@contextmanager
def _constant(size: int) -> Iterator[str]:
    """Run the platform's web server with constant responses of `size` bytes; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.constant", str(port), str(size)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: listens(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _warm(target: Target, paths: list[str], seconds: float) -> Rates:
    etag = {"If-None-Match": target.get(WARM).headers["etag"]}
    assert target.get(WARM, **etag).status == 304
    return {
        "AirSense, warm: one query": _measured(target, [WARM], seconds),
        "AirSense, warm: 500 queries by Zipf": _measured(target, paths, seconds),
        "AirSense, warm: unchanged (304)": _measured(target, [WARM], seconds, etag),
    }


def _through_nginx(target: Target, paths: list[str], seconds: float) -> Rates:
    with in_front_of(target.site) as front:
        front.get(WARM)
        assert front.get(WARM).headers["x-cache-status"] == "HIT"
        return {
            "AirSense behind nginx: one query": wrk.measure(front.url, [WARM], seconds),
            "AirSense behind nginx: 500 queries": wrk.measure(front.url, paths, seconds),
        }


def _cold(target: Target, seconds: float) -> Rates:
    return {
        f"AirSense, cold: {path.__name__}": _measured(
            target, list(map(path, queries.distinct())), seconds
        )
        for path in (queries.viewset, queries.dynamic_query)
    }


def _measured(
    target: Target, paths: list[str], seconds: float, headers: dict[str, str] | None = None
) -> Rate:
    return wrk.measure(target.site.url, paths, seconds, {**target.headers, **(headers or {})})


def _peers(target: Target, seconds: float, database: str, folder: Path) -> Rates:
    rates = {}
    for peer in gateways.PEERS:
        with peer.running(folder, DATABASE_URL=database) as address:
            for query in _unambiguous(target):
                _check(peer, query, target, _json(address + peer.path(query)))
            paths = list(map(peer.path, queries.distinct()))
            rates[peer.name] = wrk.measure(address, paths, seconds)
    return rates


def _unambiguous(target: Target) -> list[Query]:
    """Queries whose order is unique: the column that they order by has no equal values."""
    rows = target.get(f"/api/{queries.TABLE}/").json()["results"]
    unique = {name for name in queries.COLUMNS if len({row[name] for row in rows}) == len(rows)}
    random_queries = (queries.random_query() for _ in itertools.count())
    return list(itertools.islice((q for q in random_queries if q.order in unique), CHECKED))


def _check(peer: Peer, query: Query, target: Target, response: Any) -> None:
    """Assert that a peer returns the same rows in the same order as AirSense."""
    ours = target.get(queries.dynamic_query(query)).json()
    theirs = [{column: row[column] for column in query.columns} for row in peer.rows(response)]
    assert ours, query
    assert theirs == ours, f"{peer.name}: {theirs} instead of {ours} for {query}"


def _json(address: str) -> Any:
    with urlopen(address, timeout=30) as response:
        return json.load(response)
