"""The demo data, published once for all test processes of a run, because it takes half a minute.

The first process that needs it publishes it and keeps a copy, from which the others begin.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connections

from airsense import data_folder
from tests import servers
from tests.platform import Platform


def publish(own: Platform) -> None:
    """Give a platform, whose database is empty, all tables of the demo data."""
    with _locked():
        started_by = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
        copy = servers.copy_for_run(started_by)
        if servers.exists(copy):
            _begin_from(copy, own)
        else:
            _publish(own)
            _keep(own, copy)


def _publish(own: Platform) -> None:
    for command in (["setup"], ["ingest", "--demo"], ["broker"], ["transfer", "--all"]):
        own.manage(*command)


def _keep(own: Platform, copy: str) -> None:
    connections.close_all()  # PostgreSQL copies only databases without connections
    shutil.copytree(own.warehouse, data_folder.folder() / copy, dirs_exist_ok=True)
    servers.copy_database(_database(), copy)
    servers.forget_role(f"{_database()}_reader", copy)  # it is dropped before the copy


def _begin_from(copy: str, own: Platform) -> None:
    connections.close_all()
    servers.drop(_database())
    servers.copy_database(copy, _database())
    shutil.copytree(data_folder.folder() / copy, own.warehouse, dirs_exist_ok=True)
    own.manage("setup")  # roles belong to no database, and each platform has its own


def _database() -> str:
    return urlsplit(os.environ["DATABASE_URL"]).path.strip("/")


@contextmanager
def _locked() -> Iterator[None]:
    with Path(data_folder.folder(), "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
