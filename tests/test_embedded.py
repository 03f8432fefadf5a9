"""The embedded servers and the data folder, used and killed by several processes."""

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests import commands
from tests.processes import parent

PROJECT = Path(__file__).resolve().parent.parent
CLIENT = """
import sys
from airsense import data_folder, embedded
try:
    with embedded.lease():
        print(embedded.socket_folder(), flush=True)
        for line in sys.stdin:
            embedded.ensure()
            print("up", flush=True)
except data_folder.StartError as error:
    sys.exit(str(error))
"""


class Client:
    """A process that holds a lease."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout
        self.sockets = Path(process.stdout.readline().strip())

    def ensure(self) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host=str(self.sockets), user="airsense", dbname="airsense"
        ) as database:
            cursor = database.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def valkey(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(self.sockets / "valkey.sock"))
            door.sendall(f"{command}\r\n".encode())
            return door.recv(1000).decode()

    def pids(self) -> list[int]:
        """The process ids of PostgreSQL and Valkey, from their sockets."""
        return [listener(self.sockets / name) for name in (".s.PGSQL.5432", "valkey.sock")]

    def supervisor(self) -> int:
        return parent(self.pids()[0])


def environment(home: Path, **variables: str) -> dict[str, str]:
    """The environment of a client with this data folder and the embedded servers."""
    inherited = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    return {**inherited, "AIRSENSE_HOME": str(home), **variables}


def start(home: Path, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT],
        cwd=PROJECT,
        env=environment(home, **variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def client(home: Path, **variables: str) -> Iterator[Client]:
    with start(home, **variables) as process:
        yield Client(process)


def refusal(home: Path, **variables: str) -> str:
    """The one line that a client prints when it cannot get the servers."""
    with start(home, **variables) as process:
        _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert error.count("\n") == 1
    return error


def manage(home: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run(PROJECT / "manage.py", arguments, environment(Path(home)), seconds=60)


def listener(path: Path) -> int:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(path))
        credentials = door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second if it ends while it is read
        return False


def soon(condition: Callable[[], bool]) -> bool:
    """Return whether the condition becomes true within ten seconds."""
    end = time.monotonic() + 10
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return true


def gone(pids: list[int]) -> bool:
    return soon(lambda: not any(lives(pid) for pid in pids))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_clients_that_start_at_once_share_one_supervisor_and_its_servers(tmp_path: Path) -> None:
    processes = [start(tmp_path) for _ in range(4)]
    clients = [Client(process) for process in processes]
    pids = [[each.supervisor(), *each.pids()] for each in clients]
    for process in processes:
        process.communicate()
    assert pids[0] == pids[1] == pids[2] == pids[3]
    log = (tmp_path / "logs" / "embedded.log").read_text()
    assert log.count("ready: PostgreSQL Valkey") == 1


def test_the_servers_stop_in_order_when_the_last_client_goes(tmp_path: Path) -> None:
    with client(tmp_path) as first:
        pids = [*first.pids(), first.supervisor()]
        with client(tmp_path):
            pass
        time.sleep(0.5)  # longer than the supervisor's poll
        assert first.sql("SELECT 1") == [(1,)]
    assert gone(pids)
    assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()
    assert "ready to exit, bye bye" in (tmp_path / "logs" / "valkey.log").read_text()


@pytest.mark.deep
def test_a_client_that_comes_while_the_servers_stop_gets_new_ones(tmp_path: Path) -> None:
    for _ in range(6):
        with client(tmp_path) as visitor:
            assert visitor.sql("SELECT 1") == [(1,)]
            pids = visitor.pids()
        time.sleep(0.15)  # about when the supervisor notices
    assert gone(pids)


def test_a_killed_client_does_not_keep_the_servers_up(tmp_path: Path) -> None:
    with client(tmp_path) as only:
        pids = only.pids()
        only.process.kill()
    assert gone(pids)


def test_a_killed_supervisor_takes_the_servers_along_and_ensure_brings_them_back(
    tmp_path: Path,
) -> None:
    with client(tmp_path) as holder:
        holder.sql("CREATE TABLE kept AS SELECT 42 AS answer")
        pids, supervisor = holder.pids(), holder.supervisor()
        os.kill(supervisor, signal.SIGKILL)
        assert gone(pids)
        assert holder.ensure() == "up\n"
        assert holder.sql("SELECT answer FROM kept") == [(42,)]
        assert holder.supervisor() != supervisor


def test_kill_9_of_everything_loses_no_committed_row(tmp_path: Path) -> None:
    with client(tmp_path) as victim:
        victim.sql("CREATE TABLE kept AS SELECT 42 AS answer")
        pids = [*victim.pids(), victim.supervisor()]
        for pid in [victim.process.pid, *pids]:
            os.kill(pid, signal.SIGKILL)
        assert gone(pids)
    with client(tmp_path) as heir:
        assert heir.sql("SELECT answer FROM kept") == [(42,)]
        assert heir.valkey("PING") == "+PONG\r\n"


def test_a_server_that_dies_is_started_again(tmp_path: Path) -> None:
    with client(tmp_path) as holder:
        supervisor, victims = holder.supervisor(), holder.pids()
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        assert gone(victims)
        assert soon(lambda: (tmp_path / "logs" / "embedded.log").read_text().count("ready") == 2)
        assert holder.sql("SELECT 1") == [(1,)]
        assert holder.supervisor() == supervisor


@pytest.mark.deep  # every day: one that dies once
def test_a_server_that_dies_again_and_again_is_given_up_with_a_reason(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "embedded.log"
    with client(tmp_path) as holder:
        supervisor = holder.supervisor()
        (tmp_path / "postgres" / "postgresql.conf").write_text("nonsense = 1\n")
        os.kill(holder.pids()[0], signal.SIGKILL)
        assert gone([supervisor])
    assert "PostgreSQL ended 4 times within a minute" in log.read_text()


@pytest.mark.deep  # every day: a kill of everything
def test_a_folder_left_by_a_killed_first_start_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    (tmp_path / "postgres").mkdir()
    with client(tmp_path) as first:
        assert first.sql("SELECT 1") == [(1,)]


@pytest.mark.deep
def test_a_stale_pid_file_of_an_unrelated_process_does_not_prevent_the_start(
    tmp_path: Path,
) -> None:
    with client(tmp_path) as first:
        pids = [*first.pids(), first.supervisor()]
    assert gone(pids)
    with subprocess.Popen(["sleep", "60"]) as unrelated:
        stale = f"{unrelated.pid}\n{tmp_path / 'postgres'}\n"
        (tmp_path / "postgres" / "postmaster.pid").write_text(stale)
        (tmp_path / "run" / ".s.PGSQL.5432.lock").write_text(stale)
        with client(tmp_path) as second:
            assert second.sql("SELECT 1") == [(1,)]
        assert unrelated.poll() is None
        unrelated.kill()


def test_an_unusable_database_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir()
    (data / "notes.txt").write_text("not a database")
    assert f"{data} has files but no PG_VERSION" in refusal(tmp_path)
    (data / "PG_VERSION").write_text("17\n")
    assert f"{data} belongs to PostgreSQL 17, but AirSense runs 18" in refusal(tmp_path)


def test_a_server_that_cannot_start_gives_its_own_reason_at_once(tmp_path: Path) -> None:
    with client(tmp_path) as first:
        pids = [*first.pids(), first.supervisor()]
    assert gone(pids)
    (tmp_path / "postgres" / "postgresql.conf").write_text("nonsense = 1\n")
    begin = time.monotonic()
    line = refusal(tmp_path)
    assert line.startswith("PostgreSQL cannot start: FATAL:  configuration file")
    assert str(tmp_path / "logs" / "postgres.log") in line
    assert time.monotonic() - begin < 5


@pytest.mark.deep  # every day: one that cannot start
def test_a_client_that_needs_another_server_is_refused_with_the_reason(tmp_path: Path) -> None:
    with client(tmp_path, REDIS_URL="redis://elsewhere") as first:
        assert not (first.sockets / "valkey.sock").exists()
        assert refusal(tmp_path).startswith("Valkey does not run, because the command that started")


@pytest.mark.deep
def test_a_long_path_has_its_sockets_elsewhere_in_a_folder_of_this_user(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 25)
    with client(home) as first:
        sockets = first.sockets
        assert len(str(sockets / ".s.PGSQL.5432")) < 100
        assert mode(sockets) == 0o700
        assert first.sql("SELECT 1") == [(1,)]
        assert first.valkey("PING") == "+PONG\r\n"
        pids = [*first.pids(), first.supervisor()]
    assert gone(pids)
    sockets.chmod(0o755)
    assert f"{sockets} must be a folder that only this user may enter" in refusal(home)
    for left in sockets.iterdir():
        left.unlink()
    sockets.rmdir()


def test_only_the_owner_may_enter_the_folders(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with client(home):
        folders = [home, *(home / name for name in ("run", "logs", "postgres", "valkey"))]
        assert {mode(folder) for folder in folders} == {0o700}


def test_the_servers_are_durable_and_listen_on_no_port(tmp_path: Path) -> None:
    with client(tmp_path) as holder:
        durable = "SELECT current_setting(s) FROM unnest(%s) s"
        names = "ARRAY['fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses']"
        assert holder.sql(durable.replace("%s", names)) == [("on",), ("on",), ("on",), ("",)]
        assert "\r\nyes\r\n" in holder.valkey("CONFIG GET appendonly")
        assert "\r\nnoeviction\r\n" in holder.valkey("CONFIG GET maxmemory-policy")
        assert "\r\n0\r\n" in holder.valkey("CONFIG GET port")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a second account for PostgreSQL")
@pytest.mark.parametrize(
    ("closed", "owner"), [(True, 0), pytest.param(False, 65534, marks=pytest.mark.deep)]
)
def test_root_runs_postgresql_wherever_the_data_folder_is(closed: bool, owner: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o700 if closed else 0o755)
        home = Path(folder) / "home"
        with client(home) as holder:
            holder.sql("CREATE TABLE kept AS SELECT 42 AS answer")
            assert (home / "postgres").stat().st_uid == owner
            pids = [*holder.pids(), holder.supervisor()]
            os.kill(pids.pop(), signal.SIGKILL)
            assert gone(pids)
        Path(folder).chmod(0o755 if closed else 0o700)
        with client(home) as holder:
            assert holder.sql("SELECT answer FROM kept") == [(42,)]
            pids = [*holder.pids(), holder.supervisor()]
        assert gone(pids)


def test_a_secret_is_the_same_for_processes_that_make_it_at_once(tmp_path: Path) -> None:
    code = (
        "input(); from airsense import data_folder;"
        " print([data_folder.secret(f'key{n}') for n in range(50)])"
    )
    home = tmp_path / "home"
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    time.sleep(0.5)  # until all of them wait for the signal to start
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    secrets = {process.communicate()[0] for process in processes}
    assert len(secrets) == 1
    assert len(set(secrets.pop().split(","))) == 50
    assert {mode(path) for path in home.iterdir()} == {0o600}
    assert len(list(home.iterdir())) == 50


@pytest.mark.parametrize("command", ["migrate", "check"])
def test_a_data_folder_that_cannot_be_made_is_one_line(command: str) -> None:
    response = manage("/dev/null/x", command)
    assert response.returncode == 1
    assert response.stderr.count("\n") == 1
    assert response.stderr.startswith("airsense: the data folder /dev/null/x cannot be used")


def test_help_starts_no_server(tmp_path: Path) -> None:
    assert manage(tmp_path, "migrate", "--help").returncode == 0
    assert not (tmp_path / "postgres").exists()


def test_a_command_has_the_servers(tmp_path: Path) -> None:
    response = manage(tmp_path, "check", "--database", "default")
    assert response.returncode == 0, response.stderr
    assert (tmp_path / "postgres" / "PG_VERSION").exists()
