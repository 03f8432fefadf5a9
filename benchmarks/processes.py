"""Memory of processes, as the kernel counts it."""

import re
from pathlib import Path

MB = 1 << 10  # the kernel's figures are in KiB


def children(pid: int) -> list[int]:
    """A web server's main process starts those that answer."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def resident(pid: int) -> float:
    """MB in memory, what it shares with others included."""
    return _figure(pid, "smaps_rollup", "Rss")


def own(pid: int) -> float:
    """MB in memory, of what is shared its part."""
    return _figure(pid, "smaps_rollup", "Pss")


def peak(pid: int) -> float:
    """MB in memory at most, since `forget_peak`."""
    return _figure(pid, "status", "VmHWM")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _figure(pid: int, file: str, name: str) -> float:
    found = re.search(
        rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE
    )
    assert found, file
    return int(found[1]) / MB
