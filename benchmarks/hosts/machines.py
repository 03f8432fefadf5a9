"""The processes on each host: start them, and start them again after they were killed."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from airsense.data_folder import NOBODY, PROJECT
from airsense.embedded import postgres, valkey
from benchmarks.hosts.network import NETWORK, Host
from tests.nginx import program as nginx
from tests.platform import until
from tests.warehouse.running import TOKEN
from tests.warehouse.server import CATALOG, HTTP_PATH, SCHEMA, VOLUME

NAMES = (
    *("balancer", "web1", "web2", "worker1", "worker2", "schedule"),
    *("primary", "replica", "valkey", "warehouse", "client"),
)
PORT, WAREHOUSE_PORT = 8000, 8443
# PostgreSQL notices within seconds that a client, or the other server, is gone.
POSTGRESQL = {
    "listen_addresses": "*",
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "1s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "5s",
    "max_standby_streaming_delay": "5s",
    "hot_standby_feedback": "on",
}
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr crit; user root; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream web {{
        server {web1}:8000 max_fails=1 fail_timeout=5s;
        server {web2}:8000 max_fails=1 fail_timeout=5s;
        keepalive 32;
    }}
    server {{
        listen 8000;
        location / {{
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host localhost;
            proxy_connect_timeout 1s;
            proxy_read_timeout 10s;
        }}
    }}
}}
"""


class Machines:
    """A whole platform on hosts; `folder` contains the data of all of them."""

    def __init__(self, hosts: dict[str, Host], folder: Path) -> None:
        self.hosts, self.folder = hosts, folder
        self.log = (folder / "log").open("ab")
        self.files = folder / "responses", folder / "transfers"

    def start(self, name: str) -> None:
        """Start the processes of a host; also after they were killed."""
        starts: dict[str, Callable[[], None]] = {
            "balancer": self._balancer,
            "primary": lambda: self._postgresql("primary"),
            "replica": lambda: self._postgresql("replica"),
            "valkey": self._valkey,
            "warehouse": self._warehouse,
            "schedule": lambda: self._manage("schedule", "beat"),
        }
        role = name.rstrip("12")
        if role == "web":
            self._manage(name, "serve", "--host=0.0.0.0", f"--port={PORT}", "--processes=1")
        elif role == "worker":
            self._manage(name, "worker", "--concurrency=1")
        else:
            starts[name]()

    def create(self) -> None:
        """Create the databases and the demo's tables, and start every host."""
        self._create_primary()
        for name in ("primary", "valkey", "warehouse"):
            self.start(name)
        until(lambda: self.answers("primary"), 60)
        self.manage("client", "setup", READER_URL="")
        self._create_replica()
        for name in ("replica", "worker1", "worker2", "schedule", "web1", "web2", "balancer"):
            self.start(name)

    def answers(self, name: str) -> bool:
        """Whether the PostgreSQL of a host answers."""
        command = [_program("pg_isready"), "-q", "-h", self.hosts[name].address]
        host = self.hosts["client"]
        return subprocess.run(host.command(command), check=False).returncode == 0

    def manage(self, name: str, *arguments: str, **env: str) -> None:
        """Run a command of manage.py on a host and wait until it ends."""
        command = self.hosts[name].command([sys.executable, PROJECT / "manage.py", *arguments])
        subprocess.run(command, env=self.env | env, check=True, stdout=self.log, stderr=self.log)

    def spawn(self, name: str, *command: str | Path) -> None:
        """Start a process on a host; it runs until the host is killed."""
        subprocess.Popen(
            self.hosts[name].command(command),
            env=self.env,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )

    @property
    def env(self) -> dict[str, str]:
        address = {name: host.address for name, host in self.hosts.items()}
        warehouse = f"{address['warehouse']}:{WAREHOUSE_PORT}/{CATALOG}/{SCHEMA}"
        servers = f"{address['replica']}:5432,{address['primary']}:5432"
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "airsense.settings",
            "AIRSENSE_HOME": str(self.folder / "home"),
            "SECRET_KEY": "of the benchmark of several machines",
            "DATABASE_URL": f"postgresql://airsense@{address['primary']}:5432/airsense",
            "READER_URL": f"postgresql://airsense_reader:x@{servers}/airsense",
            "REDIS_URL": f"redis://{address['valkey']}:6379/0",
            "WAREHOUSE_URL": f"databricks://{warehouse}?http_path={HTTP_PATH}&volume={VOLUME}",
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CA_FILE": str(self.folder / "warehouse" / "ca.pem"),
            "THROTTLE_PER_MINUTE": "10000000",
        }

    def _manage(self, name: str, *arguments: str) -> None:
        self.spawn(name, sys.executable, PROJECT / "manage.py", *arguments)

    def _balancer(self) -> None:
        addresses = {name: self.hosts[name].address for name in ("web1", "web2")}
        file = self.folder / "nginx.conf"
        file.write_text(NGINX.format(folder=self.folder, **addresses))
        self.spawn("balancer", nginx(), "-e", "stderr", "-c", file)

    def _valkey(self) -> None:
        options = ["--port", "6379", "--protected-mode", "no", "--save", ""]
        options += ["--bind", self.hosts["valkey"].address]
        self.spawn("valkey", valkey.program(), *options, "--dir", self.folder)

    def _warehouse(self) -> None:
        address = ["--host", self.hosts["warehouse"].address, "--port", str(WAREHOUSE_PORT)]
        folder = ["--tls", "--folder", str(self.folder / "warehouse")]
        self.spawn("warehouse", sys.executable, "-m", "tests.warehouse", *folder, *address)

    def _postgresql(self, name: str) -> None:
        (self._data(name) / "postmaster.pid").unlink(missing_ok=True)
        options = [f"--{key}={value}" for key, value in POSTGRESQL.items()]
        server = [_program("postgres"), "-D", str(self._data(name)), "-k", "", *options]
        self.spawn(name, *_as_nobody(server))

    def _create_primary(self) -> None:
        data = self._data("primary")
        options = ["-U", "airsense", "-A", "trust", "-E", "UTF8", *postgres.LOCALE]
        self._run_on("primary", [_program("initdb"), "-D", str(data), *options])
        with (data / "pg_hba.conf").open("a") as access:
            access.write(f"host all all {NETWORK}.0/24 trust\n")
            access.write(f"host replication all {NETWORK}.0/24 trust\n")
        single = [_program("postgres"), "--single", "-D", str(data), "postgres"]
        self._run_on("primary", single, b"CREATE DATABASE airsense\n")

    def _create_replica(self) -> None:
        source = ["-d", f"host={self.hosts['primary'].address} user=airsense connect_timeout=2"]
        target = ["-D", str(self._data("replica")), "-R", "-X", "stream", "--checkpoint=fast"]
        self._run_on("replica", [_program("pg_basebackup"), *source, *target])

    def _data(self, name: str) -> Path:
        folder = self.folder / name
        if not folder.exists():
            folder.mkdir()
            os.chown(folder, NOBODY, NOBODY)
        return folder / "data"

    def _run_on(self, name: str, command: Sequence[str], data: bytes = b"") -> None:
        full = self.hosts[name].command(_as_nobody(command))
        subprocess.run(full, input=data, check=True, stdout=self.log, stderr=self.log, cwd="/")


def _program(name: str) -> str:
    return str(postgres.program(name))


def _as_nobody(command: Sequence[str]) -> list[str]:
    """The command as the user nobody, because PostgreSQL refuses to run as root."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
