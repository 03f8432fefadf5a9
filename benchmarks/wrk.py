"""Requests a second by wrk: each connection asks again as soon as it has its answer."""

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
    """An answer was an error, or none came."""


class Rate(NamedTuple):
    a_second: float
    p99: str
    refused: float = 0.0  # the share of answers that were neither a 200 nor a 304


def measure(
    address: str, paths: Sequence[str], seconds: float, headers: dict[str, str] | None = None
) -> Rate:
    """Each thread asks the paths one after the other from its half on; Failed if one is refused."""
    rate = overloaded(address, paths, seconds, headers)
    if rate.refused:
        raise Failed(f"{rate.refused:.2%} of requests such as {address}{paths[0]} were refused.")
    return rate


def overloaded(
    address: str, paths: Sequence[str], seconds: float, headers: dict[str, str] | None = None
) -> Rate:
    """The same where refusals are what is measured."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "paths.lua"
        script.write_text(_lua(paths))
        named = [f"-H{name}: {value}" for name, value in (headers or {}).items()]
        how = ["--latency", "-t2", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout=10s"]
        said = subprocess.run(
            ["wrk", *how, *named, "-s", script, address], check=True, capture_output=True, text=True
        ).stdout
    if failed := re.search(r"Socket errors.*", said):
        raise Failed(f"Some requests such as {address}{paths[0]} failed: {failed[0]}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    share = int(refused[1]) / int(_found(r"(\d+) requests in", said)) if refused else 0.0
    rate, p99 = _found(r"Requests/sec:\s+([\d.]+)", said), _found(r"\n +99% +(\S+)", said)
    return Rate(float(rate), p99, share)


def warmed(target: Target) -> list[str]:
    """500 queries that every web process has answered before, asked as often as Zipf says."""
    few = [queries.dynamic_query(query) for query in queries.distinct(500)]
    asked = queries.zipf(few)
    for paths in (few, asked):
        measure(target.site.url, paths, 1, target.headers)
    return asked


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


def _lua(paths: Sequence[str]) -> str:
    """Requests are written before the first is sent: that costs more than to read an answer."""
    listed = ",\n".join(f'"{path}"' for path in paths)
    return f"""
local paths = {{{listed}}}
local thread = 0
function setup(t) t:set("first", thread * {max(1, len(paths) // 2)}); thread = thread + 1 end
function init() for i, path in ipairs(paths) do paths[i] = wrk.format("GET", path) end end
function request()
  first = first % #paths + 1
  return paths[first]
end
"""
