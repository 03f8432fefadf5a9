"""Read the memory and CPU time of processes from /proc (proc(5))."""

import os
import re
from pathlib import Path

KIB_PER_MB = 1 << 10  # /proc reports KiB


def children(pid: int) -> list[int]:
    """Process ids of the children, such as the web processes of a server."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def parent(pid: int) -> int:
    """Process id of the parent."""
    return int(_stat(pid)[1])


def resident(pid: int) -> float:
    """Resident memory (RSS) in MB, including all shared memory."""
    return _figure(pid, "smaps_rollup", "Rss")


def proportional(pid: int) -> float:
    """Proportional memory (PSS) in MB: shared memory is divided among its processes."""
    return _figure(pid, "smaps_rollup", "Pss")


def private(pid: int) -> float:
    """Memory in MB that a process has written to and shares with no other."""
    return _figure(pid, "smaps_rollup", "Private_Dirty")


def peak(pid: int) -> float:
    """Highest resident memory in MB since `forget_peak`."""
    return _figure(pid, "status", "VmHWM")


def forget_peak(pid: int) -> None:
    """Reset the highest resident memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process."""
    return sum(_times(pid)[:2])


def cpu_seconds_of_ended_children(pid: int) -> float:
    """CPU time of the children of a process that have ended, and of their children."""
    return sum(_times(pid)[2:])


def _times(pid: int) -> list[float]:
    """User and system time of a process, and of its ended children, in seconds."""
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in _stat(pid)[11:15]]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name of the program."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _figure(pid: int, file: str, name: str) -> float:
    match = re.search(
        rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE
    )
    assert match, file
    return int(match[1]) / KIB_PER_MB
