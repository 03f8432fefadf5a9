"""Count the processors that this process may use; in a container often not all of them."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

# Control groups, version 2: https://docs.kernel.org/admin-guide/cgroup-v2.html
GROUPS, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def usable(groups: Path = GROUPS, own: Path = OWN) -> int:
    """Whole processors: the CPU affinity or the smallest cgroup quota, whichever is less."""
    return math.ceil(min([len(os.sched_getaffinity(0)), *_quotas(groups, own)]))


def _quotas(groups: Path, own: Path) -> Iterator[float]:
    """Yield the quotas, in processors, of this process's control group and its parents."""
    for folder in _with_parents(groups, own):
        file = folder / "cpu.max"
        quota, period = file.read_text().split() if file.exists() else ("max", "0")
        if quota != "max":
            yield int(quota) / int(period)


def _with_parents(groups: Path, own: Path) -> list[Path]:
    """Folders of the control group and its parents. Inside a container its own group is `/`."""
    lines = own.read_text().splitlines() if own.exists() else []
    paths = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return [folder for path in paths for folder in (groups / path, *(groups / path).parents)]
