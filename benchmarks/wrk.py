"""Measure requests per second with wrk: each connection sends its next request immediately."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import queries
from benchmarks.target import Target

CONNECTIONS = 32


class Failed(Exception):
    """A response was an error, or a request got none."""


class Rate(NamedTuple):
    per_second: float
    p99: str  # such as "1.23ms"
    refused: float = 0.0  # share of responses with a status other than 2xx and 3xx


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
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "paths.lua"
        script.write_text(_lua(paths))
        header_options = [f"-H{name}: {value}" for name, value in (headers or {}).items()]
        options = ["--latency", "-t2", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout=10s"]
        output = subprocess.run(
            ["wrk", *options, *header_options, "-s", script, address],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    if failed := re.search(r"Socket errors.*", output):
        raise Failed(f"Some requests like {address}{paths[0]} failed: {failed[0]}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    share = int(refused[1]) / int(_match(r"(\d+) requests in", output)) if refused else 0.0
    rate, p99 = _match(r"Requests/sec:\s+([\d.]+)", output), _match(r"\n +99% +(\S+)", output)
    return Rate(float(rate), p99, share)


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
    """A script for wrk. It formats all requests first, which costs more than reading a response."""
    quoted = ",\n".join(f'"{path}"' for path in paths)
    return f"""
local paths = {{{quoted}}}
local thread = 0
function setup(t) t:set("first", thread * {max(1, len(paths) // 2)}); thread = thread + 1 end
function init() for i, path in ipairs(paths) do paths[i] = wrk.format("GET", path) end end
function request()
  first = first % #paths + 1
  return paths[first]
end
"""
