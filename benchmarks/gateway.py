"""Requests a second of the gateway beside an empty view of the same server: `make bench`.

Warm: one query again and again, and 500 queries of which a few are asked most (Zipf). Cold: each
query asks for other columns, another order, a limit and a threshold of its own. All have about 10
rows of the 106-row table in each answer. Needs wrk (Debian's package) and a running platform, `make
run`; the same server also answers constant bytes, as many as the first warm answer has.
"""

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from rich.console import Console
from rich.table import Table

from benchmarks.keys import own_key
from tests.whole import free_port, until

SECONDS, CONNECTIONS = 5, 32
TABLE = "busiest_airports_by_delays"
COLUMNS = [
    "City",
    "Total_Departures",
    "Avg_Departure_Delay",
    "Total_Arrivals",
    "Avg_Arrival_Delay",
    "Total_Avg_Delay",
]
QUERIES = 50_000


def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("The benchmark needs wrk: apt-get install wrk")
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    warm = f"/api/dynamic_query?table_name={TABLE}&limit=10&order_by=Total_Avg_Delay"
    with constant(len(urlopen(address + warm).read())) as other:
        rates = {"constant bytes": measure(other, ["/"])}
    lanes = {
        "empty view (/healthz)": ["/healthz"],
        "warm, one query": [warm],
        "warm, 500 queries": zipf([cold("/api/dynamic_query?") for _ in range(500)]),
        "cold, dynamic_query": [cold("/api/dynamic_query?") for _ in range(QUERIES)],
        "cold, viewset": [cold(f"/api/{TABLE}/?") for _ in range(QUERIES)],
    }
    with own_key() as key:
        measure(address, lanes["warm, 500 queries"], key)  # each is asked once before it is warm
        rates |= {name: measure(address, paths, key) for name, paths in lanes.items()}
    show(rates)


@contextmanager
def constant(size: int) -> Iterator[str]:
    """The address of a server that answers so many bytes, as the platform's would."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.constant", str(port), str(size)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: listens(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cold(path: str) -> str:
    """A query that is unlikely to have been asked before, with about 10 rows in its answer."""
    columns = random.sample(COLUMNS, random.randint(2, len(COLUMNS)))
    order = random.choice(["", "-"]) + random.choice(COLUMNS)
    threshold = random.uniform(0, 20)
    table = f"table_name={TABLE}&" if "dynamic" in path else ""
    return (
        f"{path}{table}columns={','.join(columns)}&order_by={order}"
        f"&limit={random.randint(5, 15)}&Avg_Departure_Delay__gte={threshold:.6f}"
    )


def zipf(paths: list[str]) -> list[str]:
    """The n-th path is asked 1/n times as often as the first."""
    weights = [1 / n for n in range(1, len(paths) + 1)]
    return random.choices(paths, weights, k=QUERIES)


def measure(address: str, paths: list[str], key: str = "") -> tuple[float, str]:
    """Requests a second and the 99th percentile of their times; exits where one failed."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "paths.lua"
        script.write_text(lua(paths))
        load = ["-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"X-API-Key: {key}"]
        said = subprocess.run(
            ["wrk", "--latency", *load, "-s", script, address],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    if failed := re.search(r"Non-2xx.*|Socket errors.*", said):
        sys.exit(f"Some requests failed: {failed[0]}")
    rate, slow = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+(\S+)", said)
    assert rate
    assert slow
    return float(rate[1]), slow[1]


def lua(paths: list[str]) -> str:
    listed = ",\n".join(f'"{path}"' for path in paths)
    return f"""
local paths = {{{listed}}}
local thread = 0
function setup(t) t:set("first", thread * {max(1, len(paths) // 2)}); thread = thread + 1 end
function request()
  first = first % #paths + 1
  return wrk.format("GET", paths[first])
end
"""


def show(rates: dict[str, tuple[float, str]]) -> None:
    constant, empty = [rate for rate, _ in rates.values()][:2]
    table = Table(
        "lane", "requests/s", "of constant bytes", "of an empty view", "p99", title="Gateway"
    )
    for name, (rate, slow) in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rate / constant:.2f}", f"{rate / empty:.2f}", slow)
    Console().print(table)


if __name__ == "__main__":
    main()
