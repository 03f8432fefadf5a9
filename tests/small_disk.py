"""A small file system for one test."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """Mount a file system of `size` bytes during the block; skip the test if it is not allowed."""
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        small = Path(folder) / "disk"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "small", str(small)]
        done = subprocess.run(mount, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
        try:
            yield small
        finally:
            subprocess.run(["umount", "--lazy", str(small)], check=True)
