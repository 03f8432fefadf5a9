"""Run the gateway's benchmarks on a separate platform: `make bench`.

Each writes its section of docs/benchmarks.md. Other systems and load generators run from
.venv-bench.
"""

import argparse
import os
import shutil
from collections.abc import Callable

from rich.console import Console
from rich.markdown import Markdown

from benchmarks import (
    gateway,
    hostile,
    ingest,
    large,
    light,
    load,
    mixed,
    open_loop,
    pages,
    report,
    start,
)
from benchmarks.target import Target, demo

BENCHMARKS: dict[str, Callable[[Target, float], list[str]]] = {
    "gateway": gateway.run,
    "open_loop": open_loop.run,
    "load": load.run,
    "mixed": mixed.run,
    "pages": pages.run,
    "large": large.run,
    "light": light.run,
    "start": start.run,
    "hostile": hostile.run,
    "ingest": ingest.run,
}
PROGRAMS = {"wrk": "wrk", "nginx": "nginx", "psql": "postgresql-client", "pgbench": "postgresql"}
SECONDS = 5.0


def main() -> None:
    options = _options()
    for name in options.only or BENCHMARKS:
        with demo() as target:  # a new server with an empty cache for each benchmark
            lines = BENCHMARKS[name](target, options.seconds)
            lines += ["", *report.environment(target, _command(name), options.seconds)]
        Console().print(Markdown("\n".join(lines)))
        report.write(name, lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, help="run only this benchmark"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each lane (default: 5)")
    options = parser.parse_args()
    for program, package in PROGRAMS.items():
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            parser.exit(1, f"The benchmark needs {program}: apt-get install {package}\n")
    return options


def _command(name: str) -> str:
    return f"make bench ONLY={name}"


if __name__ == "__main__":
    main()
