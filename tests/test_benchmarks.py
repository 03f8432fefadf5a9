"""What all benchmarks begin with; a benchmark itself takes minutes and changes its document."""

import os
import subprocess
import sys

import pytest

from airsense.data_folder import PROJECT

SET_UP = """
from benchmarks import target
with target.empty() as platform:
    print(platform.manage("status", "postgresql", "valkey"))
"""


@pytest.mark.deep
def test_a_benchmark_has_a_platform_of_its_own() -> None:
    own = ("DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER")
    env = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-c", SET_UP]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True)
    assert done.stdout.count("up ") == 2, done.stderr
