"""Start a Spark Connect server of pip's pyspark, which `make test-spark` installs.

One server serves all tests of a process, because it takes half a minute to start. Its catalogue
is in its memory, and its tables are in a folder of the tests.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from airsense import data_folder, parent_death
from transfers.exceptions import WarehouseUnavailable
from transfers.warehouses.spark_address import Address
from transfers.warehouses.spark_session import Session

ENVIRONMENT = data_folder.PROJECT / ".venv-spark"
CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
START_SECONDS = 180
SETTINGS = {
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
}


@dataclass(frozen=True)
class SparkServer:
    """A running server, and a schema of it."""

    port: int
    process: int  # process id
    folder: Path
    name: str = "default"

    @property
    def tables(self) -> Path:
        """The folder of the schema's tables."""
        folder = self.folder / "tables"
        return folder if self.name == "default" else folder / f"{self.name}.db"

    @property
    def url(self) -> str:
        return f"spark://127.0.0.1:{self.port}/spark_catalog/{self.name}"

    @property
    def env(self) -> dict[str, str]:
        """The settings of a platform that uses this warehouse."""
        return {"WAREHOUSE_URL": self.url}

    def run(self, statement: str) -> None:
        with Session(Address.of(f"spark://127.0.0.1:{self.port}")) as session:
            session.execute(statement)

    def schema(self, name: str) -> "SparkServer":
        """Create an empty schema, and return the same server with a URL of that schema."""
        self.run(f"CREATE SCHEMA {name}")
        return SparkServer(self.port, self.process, self.folder, name)


@contextmanager
def running(folder: Path, port: int = 0) -> Iterator[SparkServer]:
    """Run a server during a `with` block; its log is in the folder."""
    port = port or _free_port()
    home = next(ENVIRONMENT.glob("lib/python*/site-packages/pyspark"), None)
    assert home, "Run `make test-spark`, which installs Spark."
    assert shutil.which("java"), "Run `make test-spark`, which installs Java."
    conf = SETTINGS | {
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.warehouse.dir": str(folder / "tables"),
    }
    command = [str(home / "bin" / "spark-submit"), "--class", CLASS, "--master", "local[2]"]
    command += ["--driver-memory", "2g", "--name", "AirSense tests"]
    for name, value in conf.items():
        command += ["--conf", f"{name}={value}"]
    with (
        (folder / "spark.log").open("wb") as log,
        subprocess.Popen(
            [*command, "spark-internal"],
            cwd=folder,
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_CONNECT_MODE": "0"},
            stdout=log,
            stderr=log,
            preexec_fn=partial(parent_death.end_with, os.getpid()),
        ) as process,
    ):
        try:
            _wait(process, port, folder / "spark.log")
            yield SparkServer(port, process.pid, folder)
        finally:
            process.kill()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        is_starting = process.poll() is None and time.monotonic() < deadline
        assert is_starting, log.read_text()[-3000:]
        try:
            with Session(Address.of(f"spark://127.0.0.1:{port}")):
                return
        except WarehouseUnavailable:
            time.sleep(0.5)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])
