"""Plots for docs/benchmarks.md, drawn by the other environment's matplotlib."""

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
    log: bool  # both scales
    lines: dict[str, list[tuple[float, float]]]


def bars(name: str, values: dict[str, float], unit: str) -> None:
    """Horizontal ones on a logarithmic scale, the first on top."""
    _draw(name, {"bars": values, "unit": unit})


def lines(name: str, panels: Sequence[Panel]) -> None:
    """One panel above the other."""
    _draw(name, {"panels": panels})


def _draw(name: str, what: dict[str, Any]) -> None:
    FOLDER.mkdir(exist_ok=True)
    command = [str(BIN / "python"), "-m", "benchmarks.drawing", str(FOLDER / f"{name}.svg")]
    subprocess.run(command, input=json.dumps(what), cwd=PROJECT, check=True, text=True)
