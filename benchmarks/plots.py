"""Draw plots for docs/benchmarks.md with the matplotlib of .venv-bench."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any, TypedDict

from airsense.data_folder import PROJECT
from benchmarks.peers.gateways import BIN

FOLDER = PROJECT / "docs" / "benchmarks"


class Panel(TypedDict):
    x: str
    y: str
    log: bool  # whether both axes are logarithmic
    lines: dict[str, list[tuple[float, float]]]


def bars(name: str, values: dict[str, float], unit: str) -> None:
    """Draw horizontal bars on a logarithmic scale, the first at the top."""
    _draw(name, {"bars": values, "unit": unit})


def lines(name: str, panels: Sequence[Panel]) -> None:
    """Draw line charts, one below the other."""
    _draw(name, {"panels": panels})


def _draw(name: str, plot: dict[str, Any]) -> None:
    FOLDER.mkdir(exist_ok=True)
    command = [str(BIN / "python"), "-m", "benchmarks.drawing", str(FOLDER / f"{name}.svg")]
    subprocess.run(command, input=json.dumps(plot), cwd=PROJECT, check=True, text=True)
