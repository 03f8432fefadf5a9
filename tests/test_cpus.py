"""The number of web processes is the number of usable processors."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from airsense import cpus
from tests.platform import Platform, free_port, listens, until
from tests.processes import children

ALLOWED = len(os.sched_getaffinity(0))
type Groups = Callable[..., int]


@pytest.fixture
def usable(tmp_path: Path) -> Groups:
    """The usable processors in nested control groups with these quotas."""

    def usable(group: str, **quotas: str) -> int:
        (tmp_path / "outer" / "inner").mkdir(parents=True)
        for name, quota in quotas.items():
            folder = {"root": "", "outer": "outer", "inner": "outer/inner"}[name]
            (tmp_path / folder / "cpu.max").write_text(f"{quota}\n")
        (tmp_path / "own").write_text(f"0::/{group}\n")
        return cpus.usable(tmp_path, tmp_path / "own")

    return usable


def test_without_a_quota_it_is_the_number_of_processors_of_the_process(usable: Groups) -> None:
    assert usable("outer/inner", inner="max 100000") == ALLOWED


def test_a_quota_is_rounded_up(usable: Groups) -> None:
    assert usable("outer/inner", inner="50000 100000") == 1


def test_the_smallest_quota_of_nested_groups_applies(usable: Groups) -> None:
    assert usable("outer/inner", inner="9000000 100000", outer="100000 100000") == 1


def test_a_container_sees_its_own_group_as_the_outermost(usable: Groups) -> None:
    assert usable("", root="20000 100000") == 1


def test_a_system_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpus.usable(tmp_path, tmp_path / "none") == ALLOWED


def test_the_server_starts_a_process_for_each_processor_that_it_may_use(demo: Platform) -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})  # what is started inherits it
    try:
        with demo.started("serve", f"--port={(port := free_port())}") as process:
            until(lambda: listens(port))
            assert len(children(process.pid)) == 1
    finally:
        os.sched_setaffinity(0, before)
