"""The servers of the tests, real ones: those of DATABASE_URL and REDIS_URL, or the embedded ones.

Pytest loads it before Django's settings (`-p tests.servers`): it sets databases and a data folder
of their own for this process and all that it starts.
"""

import atexit
import fcntl
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from airsense import data_folder, embedded
from airsense.metrics.folder import MEMORY
from tests import planted

ROOM = 4 << 30  # bytes of memory; a run of all tests needs a quarter
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
SHARED = ("prepared", "demo")  # databases of `made_once`


def _folder() -> Path:
    """The tests' data folder; in memory, if it has room, a platform takes a fifth of the CPU time.

    https://docs.kernel.org/filesystems/tmpfs.html
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        project = hashlib.sha256(bytes(data_folder.PROJECT)).hexdigest()[:8]
        return MEMORY / f"airsense-test-{os.getuid()}-{project}"
    return data_folder.PROJECT / ".airsense-test"


os.environ.setdefault("AIRSENSE_HOME", str(_folder()))
_held = ExitStack()
atexit.register(_held.close)
_held.enter_context(embedded.lease())

POSTGRESQL = os.environ.get("DATABASE_URL") or embedded.database_url()
QUEUE = os.environ.get("REDIS_URL") or embedded.broker_url()
_numbers = itertools.count(1)
_databases = set[str]()  # of the environments of this process that are not removed yet


def own_environment(template: str = "template1") -> dict[str, str]:
    """The settings of one platform: a new database and queue, and no warehouse yet."""
    name = f"airsense_test_{os.getpid()}_{next(_numbers)}"
    copy_database(template, name)
    _databases.add(name)
    return {
        "DATABASE_URL": urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}")),
        "REDIS_URL": QUEUE,
        "REDIS_PREFIX": f"{name}:",
        "THROTTLE_PER_MINUTE": "10000000",  # tests send more requests than users
        "WAREHOUSE_URL": f"duckdb://{data_folder.folder()}/{name}",
    }


@contextmanager
def made_once(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the name of a database that the processes of a run share, and whether it exists.

    The block of the first process makes it, while the others wait.
    """
    database = _shared(name)
    with Path(data_folder.folder(), f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield database, _exists(database)


def _shared(name: str) -> str:
    run = os.getppid() if IS_WORKER else os.getpid()
    return f"airsense_test_{run}_{name}"


def _exists(database: str) -> bool:
    with psycopg.connect(POSTGRESQL) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        return row.fetchone() is not None


def copy_database(template: str, name: str) -> None:
    # Copies of files take half of the CPU time of copies of pages by the write-ahead log.
    execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)


def rename(database: str, name: str) -> None:
    """Rename a database and its role."""
    execute("ALTER DATABASE {} RENAME TO {}", database, name)
    execute("ALTER ROLE {} RENAME TO {}", f"{database}_reader", f"{name}_reader")


def drop(database: str) -> None:
    execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)


def remove(name: str) -> None:
    """Remove the database of an environment, and its role."""
    drop(name)
    execute("DROP ROLE IF EXISTS {}", f"{name}_reader")
    _databases.discard(name)


def _remove_databases() -> None:
    for name in sorted(_databases):
        remove(name)


def _remove_shared() -> None:
    """Remove the databases and folders that the test processes of this run shared."""
    for name in map(_shared, SHARED):
        remove(name)
        shutil.rmtree(data_folder.folder() / name, ignore_errors=True)


def execute(statement: str, *names: str) -> None:
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _spare_the_disk() -> None:
    """Let no commit wait for the disk: the data need not outlive a crash of the machine."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        execute(f"ALTER SYSTEM SET {setting} = off")
    execute("SELECT pg_reload_conf()")


if not os.environ.get("DATABASE_URL"):
    _spare_the_disk()
os.environ.update(planted.ENVIRONMENT | own_environment())
# Tests need no certificates of the system; reading those takes 18 ms of CPU per TLS context.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "data" / "authority.pem")
_held.callback(_remove_databases)
if not IS_WORKER:
    _held.callback(_remove_shared)
planted.default_log = data_folder.folder() / f"test-{os.getpid()}.log"
_held.callback(planted.default_log.unlink, missing_ok=True)
