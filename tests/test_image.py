"""The steps of the Dockerfile in an empty folder, and each service run from the result."""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from airsense.data_folder import PROJECT
from tests.alert_receivers import SECRET, webhook
from tests.exporting import START
from tests.platform import Site, free_port, until
from tests.processes import children, proportional
from tests.servers import own_environment
from tests.test_bucket_exports import BUCKET, CREDENTIALS, s3
from tests.test_containers import SERVED, environment, image, make_secrets, services
from tests.warehouse.running import running

MOST = 345  # MB of packages; before deploy/slim.py they have 494
FORMATS = ("csv", "ndjson", "parquet", "arrow", "xlsx")
# Memory limits of docker-compose.yml, in MB.
WEB, WORKER = 1024, 3072


class Image:
    """A folder with what the image contains: code, and packages without the unused files."""

    def __init__(self, folder: Path) -> None:
        self.code, self.env = image(folder / "app"), {"PATH": os.environ["PATH"]}
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        self.packages = next((folder / "venv" / "lib").glob("*/site-packages"))
        install(self.packages)
        subprocess.run([sys.executable, self.code / "deploy/slim.py", self.packages], check=True)

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [self.python, "manage.py", *arguments],
            cwd=self.code,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def service(self, name: str) -> Iterator["subprocess.Popen[bytes]"]:
        command = [self.python, "manage.py", *services()[name]["command"]]
        with subprocess.Popen(command, cwd=self.code, env=self.env) as process:
            try:
                yield process
            finally:
                process.terminate()
                assert process.wait(60) == 0, name

    def is_healthy(self, name: str) -> bool:
        """Whether the health check of a service succeeds."""
        _, _, *arguments = services()[name]["healthcheck"]["test"]
        done = subprocess.run(
            [self.python, *arguments], cwd=self.code, env=self.env, capture_output=True, check=False
        )
        return done.returncode == 0


def install(packages: Path) -> None:
    """Copy exactly the packages of requirements/base.txt, as `pip install --no-deps` does."""
    text = (PROJECT / "requirements" / "base.txt").read_text()
    for name in re.findall(r"^([\w.-]+)==", text, re.M):
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        for file in distribution.files or ():
            source, target = Path(str(distribution.locate_file(file))), packages / file
            if ".." not in file.parts and source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(tmp_path_factory.mktemp("image"))


@pytest.mark.deep
def test_the_packages_of_the_image_are_small(built: Image) -> None:
    files = [file for file in built.packages.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files if file.suffix != ".pyc") >> 20 < MOST


@pytest.mark.deep
def test_each_service_runs_from_the_image_with_databricks_a_bucket_and_a_webhook(
    built: Image, tmp_path: Path
) -> None:
    port = free_port()
    with (
        running(tmp_path / "warehouse") as warehouse,
        s3(port) as bucket,
        webhook() as hook,
    ):
        built.env |= connected(tmp_path, warehouse.env, hook.url) | bucket_at(port)
        built.run("collectstatic", "--no-input", "--verbosity=0")
        built.run(*services()["migrate"]["command"])
        with built.service("worker") as worker, built.service("beat"), built.service("web") as web:
            built.run("transfer", "delays_by_day", code=1)  # not built yet: this is alerted
            for step in services()["demo"]["command"][0].split(" && "):
                built.run(*step.split()[2:])
            for path in SERVED:
                assert Site(f"http://127.0.0.1:{built.env['PORT']}").get(path).status == 200, path
            for name in ("worker", "beat"):
                until(lambda service=name: built.is_healthy(service))
            for format_ in FORMATS:
                code = START.format("group_by=Airline_Name", format_)
                built.run("shell", "--no-imports", "--command", code)
            until(lambda: files_in(bucket) == len(FORMATS), 120)
            until(lambda: "table.failed" in [message["type"] for message in hook.received], 120)
            assert memory(web.pid) < WEB
            assert memory(worker.pid) < WORKER


def connected(folder: Path, warehouse: dict[str, str], webhook_url: str) -> dict[str, str]:
    """The environment that docker-compose.yml gives, with secrets in files."""
    token = warehouse.pop("DATABRICKS_TOKEN")
    alerts = {"ALERT_WEBHOOK_URL": webhook_url, "ALERT_WEBHOOK_SECRET": SECRET}
    make_secrets(folder / "secrets", DATABRICKS_TOKEN=token, **alerts)
    compose = {
        name: value.replace("/secrets/", f"{folder}/secrets/")
        for name, value in environment("web").items()
    }
    folders = {"AIRSENSE_HOME": str(folder / "data"), "STATIC_ROOT": str(folder / "static")}
    return {**compose, **own_environment(), **warehouse, **folders, "PORT": str(free_port())}


def bucket_at(port: int) -> dict[str, str]:
    endpoint = f"http://127.0.0.1:{port}"
    return {**CREDENTIALS, "EXPORTS_S3_BUCKET": BUCKET, "EXPORTS_S3_ENDPOINT": endpoint}


def files_in(bucket: Any) -> int:
    return int(bucket.list_objects_v2(Bucket=BUCKET)["KeyCount"])


def memory(pid: int) -> float:
    """Megabytes of a process and its descendants; shared pages count once."""
    return proportional(pid) + sum(map(memory, children(pid)))
