"""`manage.py run` starts and stops the whole platform."""

import signal
import socket
import stat
from pathlib import Path

import pytest

from flights.tables import TABLES
from tests import small_demo
from tests.platform import Platform, free_port, listens, until
from tests.runs import Run, running
from tests.servers import own_environment

SOME, ALL = 1_000, 336_776  # flights of the demo


@pytest.mark.timeout(240)
@pytest.mark.parametrize("flights", [SOME, pytest.param(ALL, marks=pytest.mark.deep)])
def test_run_starts_from_nothing_recovers_from_a_kill_and_stops_with_all_its_processes(
    tmp_path: Path, flights: int
) -> None:
    home = tmp_path / "home"
    if flights < ALL:
        small_demo.make(home / "demo", flights)
    with running(home) as run:
        run.up()
        until(lambda: "Ctrl-C" in run.output())  # the end of the report
        assert f"{flights:,}" in run.output()
        assert "delays_by_day" in run.output()
        # Each of the two processes shares one check for a second.
        until(lambda: run.is_served("/readyz"), seconds=5)
        (best,) = run.site.get("/api/dynamic_query?table_name=airline_performance&limit=1").json()
        assert best["Airline_Name"] == "Alaska Airlines Inc."
        password = home / "admin_password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert password.read_text() not in run.output()
        second = Run(home, free_port())
        assert second.process.wait(60) == 1
        assert "already runs" in second.output()
        run.process.kill()
        run.process.wait()
        until(lambda: not run.processes())
    with running(home) as again:
        again.up()
        assert again.output().count("unchanged in the warehouse") == len(TABLES)
        again.process.send_signal(signal.SIGINT)
        again.process.wait(30)
        assert again.output().rstrip().endswith("Stopped.")
        until(lambda: not again.processes())


def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = Run(tmp_path / "home", taken.getsockname()[1])
        assert run.process.wait(60) == 1
        assert "make run PORT=" in run.output()
        assert len(run.output().strip().splitlines()) == 1
        until(lambda: not run.processes())


def test_a_web_server_that_is_told_to_stop_while_it_starts_stops_at_once(demo: Platform) -> None:
    port = free_port()
    with demo.running("serve", f"--port={port}", "--processes=16") as server:
        until(lambda: listens(port))
        server.terminate()
        assert server.wait(10) == 0


def test_a_worker_does_not_load_the_web_server(demo: Platform) -> None:
    loaded = demo.python(
        "import sys; from airsense.celery import app; app.loader.import_default_modules();"
        "print([n in sys.modules for n in ('transfers.tasks', 'airsense.urls')])"
    )
    assert loaded.strip() == "[True, False]"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("VERSIONS_KEPT=many", "VERSIONS_KEPT='many' is not a whole number of 1 or more."),
        ("VERSIONS_KEPT=0", "VERSIONS_KEPT='0' is not a whole number of 1 or more."),
        ("REDIS_URL=sentinel://:secret@x", "REDIS_URL is not of the form redis://host:6379/0."),
        ("TRUSTED_PROXIES=-1", "TRUSTED_PROXIES='-1' is not a whole number of 0 or more."),
        ("DATABASE_URL=sqlite:///secret.db", "DATABASE_URL is not of the form postgresql://"),
        ("READER_URL=postgresql://me:secret@host:port/db", "READER_URL is not of the form"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(setting: str, message: str) -> None:
    name, _, value = setting.partition("=")
    done = Platform(env={name: value}).attempt("setup")
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert message in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("worker --concurrency=0", "--concurrency: '0' is not a whole number of 1 or more"),
        ("worker --metrics-port=0", "--metrics-port: '0' is not a port: use a whole number from 1"),
        ("serve --processes=-1", "--processes: '-1' is not a whole number of 1 or more"),
        ("serve --threads=two", "--threads: 'two' is not a whole number of 1 or more"),
        ("serve --port=65536", "--port: '65536' is not a port: use a whole number from 1 to 65535"),
        ("run --port=x", "--port: 'x' is not a port: use a whole number from 1 to 65535"),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_with_what_is_allowed(
    demo: Platform, command: str, message: str
) -> None:
    done = demo.attempt(*command.split(), seconds=20)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]


def test_a_database_that_was_never_set_up_is_reported_in_one_line() -> None:
    done = Platform(own_environment()).attempt("rollback", "delays_by_day")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("run manage.py setup")
    assert len(done.stderr.strip().splitlines()) == 1


def test_status_reports_each_part(demo: Platform) -> None:
    done = demo.attempt("status")
    assert done.returncode == 1
    assert "DOWN worker" in done.stdout
    assert "up   warehouse" in done.stdout
    assert demo.manage("status", "postgresql", "valkey").count("up ") == 2
    wrong = demo.attempt("status", "nothing")
    assert "Choose from: warehouse, postgresql" in wrong.stderr
