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
    """Mount a file system of `size` bytes on a new folder that all accounts may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        with mounted(Path(folder) / "disk", size, "mode=755") as small:
            yield small


@contextmanager
def mounted(folder: Path, size: int, *options: str) -> Iterator[Path]:
    """Mount a file system of `size` bytes on a folder; skip the test if it is not allowed."""
    if os.geteuid():
        pytest.skip("only root can mount a small file system")
    folder.mkdir(exist_ok=True)
    all_options = ",".join([f"size={size}", *options])
    mount = ["mount", "-t", "tmpfs", "-o", all_options, "small", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
