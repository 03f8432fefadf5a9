"""Measure requests per second with wrk: each connection sends its next request immediately."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import queries
from benchmarks.target import Target
from tests.public_pages import PAGES

CONNECTIONS = 32
ACCEPT = "text/html,application/xhtml+xml,*/*;q=0.8"


class Failed(Exception):
    """A response was an error, or a request got none."""


class Rate(NamedTuple):
    per_second: float
    p99: str  # such as "1.23ms"
    refused: float = 0.0  # share of responses with a status other than 2xx and 3xx


class Times(NamedTuple):
    per_second: float
    p50: float  # ms
    p95: float
    p99: float
    failed: int  # requests without a response, and responses other than 2xx and 3xx


# Added to a script: pauses between the requests of a connection, percentiles, and failures.
PAUSES = """
function delay() return math.random({}, {}) end
function done(summary, latency)
  local ms = function(p) return latency:percentile(p) / 1000 end
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("users: %.3f %.3f %.3f %d\\n", ms(50), ms(95), ms(99), failed))
end
"""


def measure(
    address: str, paths: Sequence[str], seconds: float, headers: dict[str, str] | None = None
) -> Rate:
    """Request the paths in turn; raises Failed if a response is an error.

    wrk's second thread starts in the middle of the list.
    """
    rate = overloaded(address, paths, seconds, headers)
    if rate.refused:
        raise Failed(f"{rate.refused:.2%} of requests like {address}{paths[0]} were refused.")
    return rate


def overloaded(
    address: str, paths: Sequence[str], seconds: float, headers: dict[str, str] | None = None
) -> Rate:
    """Like `measure`, but counts errors instead of raising Failed."""
    output = _output(address, _lua(paths), CONNECTIONS, seconds, headers)
    if failed := re.search(r"Socket errors.*", output):
        raise Failed(f"Some requests like {address}{paths[0]} failed: {failed[0]}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    share = int(refused[1]) / int(_match(r"(\d+) requests in", output)) if refused else 0.0
    rate, p99 = _match(r"Requests/sec:\s+([\d.]+)", output), _match(r"\n +99% +(\S+)", output)
    return Rate(float(rate), p99, share)


def users(
    address: str,
    paths: Sequence[str],
    number: int,
    pause: tuple[int, int],
    seconds: float,
    headers: dict[str, str] | None = None,
) -> Times:
    """Let a number of users send requests with a pause of `pause` ms between two of them.

    Each has a connection of its own, which stays open. The first requests are spread over a pause.
    """
    script = _lua(paths) + PAUSES.format(*pause)
    output = _output(address, script, number, max(seconds, 2 * pause[1] / 1_000), headers)
    p50, p95, p99, failed = _match(r"users: (.*)", output).split()
    rate = float(_match(r"Requests/sec:\s+([\d.]+)", output))
    return Times(rate, float(p50), float(p95), float(p99), int(failed))


def _output(
    address: str,
    script: str,
    connections: int,
    seconds: float,
    headers: dict[str, str] | None,
) -> str:
    """What wrk prints after `seconds` of requests by a script."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.lua"
        file.write_text(script)
        header_options = [f"-H{name}: {value}" for name, value in (headers or {}).items()]
        options = ["--latency", "-t2", f"-c{connections}", f"-d{seconds:g}s", "--timeout=10s"]
        return subprocess.run(
            ["wrk", *options, *header_options, "-s", file, address],
            check=True,
            capture_output=True,
            text=True,
        ).stdout


def warm_paths(target: Target) -> list[str]:
    """Paths of 500 queries, repeated by Zipf's law, that every web process has cached."""
    few = [queries.dynamic_query(query) for query in queries.distinct(500)]
    repeated = queries.zipf(few)
    for paths in (few, repeated):
        measure(target.site.url, paths, 1, target.headers)
    return repeated


def _match(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


def _lua(paths: Sequence[str]) -> str:
    """A script for wrk. It formats all requests first, which costs more than reading a response.

    It requests PAGES as a browser does.
    """
    quoted = ",\n".join(f'"{path}"' for path in paths)
    pages = " ".join(f'["{path}"] = true,' for path in PAGES)
    return f"""
local paths = {{{quoted}}}
local pages = {{{pages}}}
local thread = 0
function setup(t) t:set("first", thread * {max(1, len(paths) // 2)}); thread = thread + 1 end
function init()
  for i, path in ipairs(paths) do
    wrk.headers["Accept"] = pages[path] and "{ACCEPT}" or nil
    paths[i] = wrk.format("GET", path)
  end
end
function request()
  first = first % #paths + 1
  return paths[first]
end
"""
