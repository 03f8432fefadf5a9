"""nginx with deploy/nginx.conf in front of a web server."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airsense.data_folder import PROJECT
from tests.platform import Site, free_port, listens, until

FILE = PROJECT / "deploy" / "nginx.conf"


def program() -> str:
    """Find nginx, which Debian installs outside a user's PATH."""
    path = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert path, "This needs nginx: apt-get install nginx"
    return path


@contextmanager
def in_front_of(site: Site) -> Iterator[Site]:
    """Run nginx with deploy/nginx.conf, in which only addresses and folders are replaced."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        changes = {
            "server web:8000;": f"server {site.url.removeprefix('http://')};",
            "listen 8080 ": f"listen 127.0.0.1:{port} ",
            "/tmp/nginx": f"{folder}/nginx",  # noqa: S108  # what the file names
        }
        text = FILE.read_text()
        for original, replacement in changes.items():
            assert original in text, original
            text = text.replace(original, replacement)
        file = Path(folder) / "nginx.conf"
        file.write_text(text)
        with _running([program(), "-e", "stderr", "-c", str(file), *_as_root()]):
            until(lambda: listens(port))
            yield Site(f"http://127.0.0.1:{port}")


def _as_root() -> list[str]:
    """Run workers as root if nginx starts as root; in its container it has a single user."""
    return ["-g", "user root;"] if os.geteuid() == 0 else []


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.terminate()
