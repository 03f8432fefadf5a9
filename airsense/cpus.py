"""How many processors this process may use: in a container fewer than the machine has."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

GROUPS, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # control groups, version 2


def usable(groups: Path = GROUPS, own: Path = OWN) -> int:
    """Those that it may run on, or what the quotas of its control groups come to, rounded up."""
    return math.ceil(min([len(os.sched_getaffinity(0)), *_quotas(groups, own)]))


def _quotas(groups: Path, own: Path) -> Iterator[float]:
    """In processors: of this process's control group and of each around it that has one."""
    for folder in _around(groups, own):
        file = folder / "cpu.max"
        quota, period = file.read_text().split() if file.exists() else ("max", "0")
        if quota != "max":
            yield int(quota) / int(period)


def _around(groups: Path, own: Path) -> list[Path]:
    """The folders of the control group and those around it; a container sees its own as `/`."""
    lines = own.read_text().splitlines() if own.exists() else []
    paths = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return [folder for path in paths for folder in (groups / path, *(groups / path).parents)]
