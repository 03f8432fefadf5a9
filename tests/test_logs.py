"""Log lines: text for people, JSON for machines, one for each request, and no secrets."""

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from airsense.data_folder import PROJECT
from airsense.log_limits import Limits
from tests import commands, planted
from tests.platform import Platform, Site, free_port, listens, until
from tests.platforms import own_platform

QUERY = "/api/delays_by_day/?limit=3"
JSON = {"LOG_FORMAT": "json"}
# Celery prints it to stdout.
STOPPED = ("", "worker: Warm shutdown (MainProcess)")

type Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "serve.log"


@pytest.fixture(scope="module")
def own(demo: Platform, log: Path) -> Platform:
    return Platform({**demo.env, **JSON, "LOG_REQUESTS": "all"}, log=log)


@pytest.fixture(scope="module")
def site(own: Platform) -> Iterator[Site]:
    with own.site(processes=1) as site:
        yield site


def lines(log: Path) -> Lines:
    """Every line of a log, which must be JSON."""
    return [json.loads(line) for line in log.read_text().splitlines() if line not in STOPPED]


def write(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def of_request(log: Path, request_id: str) -> Lines:
    until(lambda: request_id in log.read_text())
    return [line for line in lines(log) if line.get("request_id") == request_id]


def test_every_line_of_a_server_is_json_with_time_level_and_message(site: Site, log: Path) -> None:
    site.get("/nowhere")
    assert len(lines(log)) > 3
    for line in lines(log):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", line["time"])
        assert line["level"] in ("INFO", "WARNING", "ERROR")
        assert line["message"]
        assert line["process"]


def test_the_line_of_a_request_says_what_it_was_and_how_it_was_answered(
    site: Site, log: Path
) -> None:
    for request_id in ("first", "second"):
        site.get(QUERY, X_Request_ID=request_id)
    (miss,), (hit,) = of_request(log, "first"), of_request(log, "second")
    fields = {"method": "GET", "route": "/api/delays_by_day/", "status": 200}
    assert miss["table"] == "delays_by_day"
    assert fields.items() <= miss.items()
    assert (miss["cache"], hit["cache"]) == ("miss", "hit")
    assert re.fullmatch(r"delays_by_day/\d+", miss["version"])
    assert 0 < hit["duration"] < miss["duration"] < 30


def test_the_line_of_a_user_names_the_user(own: Platform, site: Site, log: Path) -> None:
    token = own.token()
    site.get("/api/transfers/", Authorization=f"Token {token}", X_Request_ID="of-admin")
    site.get("/api/transfers/", X_Request_ID="of-nobody")
    (line,), (anonymous,) = of_request(log, "of-admin"), of_request(log, "of-nobody")
    assert (line["user"], line["status"], line["route"]) == ("admin", 200, "/api/transfers/")
    assert "user" not in anonymous
    assert token not in log.read_text()


def test_probes_that_succeed_have_no_line(site: Site, log: Path) -> None:
    for path in ("/healthz", "/readyz"):
        site.get(path, X_Request_ID="probe")
    site.get("/nowhere", X_Request_ID="after-probe")
    assert of_request(log, "after-probe")
    assert "probe" not in {line.get("request_id") for line in lines(log)}


def test_a_flood_of_requests_writes_few_lines_and_says_how_many_it_left_out(
    site: Site, log: Path
) -> None:
    before, began = len(lines(log)), time.monotonic()
    for _ in range(200):
        site.get("/nowhere")
    seconds = time.monotonic() - began
    time.sleep(1.1)
    site.get("/nowhere")
    new = lines(log)[before:]
    reports = [line["message"] for line in new if "Left out" in line["message"]]
    left_out = sum(int(report.split()[2]) for report in reports)
    written = sum(line.get("route") == "unknown" for line in new)
    assert written + left_out == 201
    assert written <= 10 * (seconds + 3)


def test_by_default_cache_hits_have_no_line_and_lines_are_text(
    demo: Platform, tmp_path: Path
) -> None:
    own = Platform(demo.env, log=tmp_path / "log")
    with own.site(processes=1) as site:
        until(lambda: site.get("/api/").headers["x-airsense-cache"] != "bypass")
        responses = [site.get(QUERY).headers["x-airsense-cache"] for _ in range(3)]
    requests = [line for line in own.log.read_text().splitlines() if ": GET /api/delays" in line]
    assert responses == ["miss", "hit", "hit"]
    (line,) = requests
    assert re.fullmatch(
        r"[\d-]+ [\d:,]+ INFO [0-9a-f]{16} airsense\.requests: GET /api/delays_by_day/ 200 miss"
        r" \d\.\d{3} s delays_by_day/\d+",
        line,
    )


def test_a_worker_writes_json_with_request_task_table_and_transfer(tmp_path: Path) -> None:
    with own_platform(**JSON) as own:
        own.log = tmp_path / "log"
        own.ingest("2013-01-07,Alpha,X,Y,10,5")
        token = own.token()
        with own.running("worker"), own.running("beat"), own.site(1) as site:
            body = b'{"tables": ["airlines"]}'
            headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
            response = site.request(
                "POST", "/api/transfers/", body, X_Request_ID="from-the-client", **headers
            )
            assert response.status == 202, response.body
            until(lambda: '"airlines/1"' in own.log.read_text(), 60)
            until(lambda: "Sending due task" in own.log.read_text())
    by_task = [line for line in lines(own.log) if line.get("task") == "transfers.tasks.transfer"]
    (published,) = [line for line in by_task if "succeeded" in line["message"]]
    assert (published["table"], published["version"]) == ("airlines", "airlines/1")
    assert published["transfer"] == response.json()[0]["id"]
    assert published["request_id"] == "from-the-client"


def test_secrets_that_code_logs_by_mistake_are_masked(demo: Platform) -> None:
    secrets = {
        "DATABRICKS_TOKEN": "a databricks token",
        "ASK_MODEL_KEY": "the key of a model",
        "METRICS_TOKEN": "the token of metrics",
    }
    leaks = [
        *secrets.values(),
        f"airsense_{'k' * 43}",
        f"Token {'0a' * 20}",
        "smtp://me:hunter2@mail.example.org",
    ]
    code = f"import logging as l; l.error('%s', {leaks}); l.error('x', exc_info=OSError({leaks}))"
    for form in ("text", "json"):
        env = {**os.environ, **demo.env, **secrets, "LOG_FORMAT": form}
        arguments = ("shell", "--no-imports", "--command", code)
        done = commands.run(PROJECT / "manage.py", arguments, env, seconds=100)
        assert done.stderr.count("[secret]") == 2 * len(leaks)
        assert "mail.example.org" in done.stderr
        for secret in (*secrets.values(), "kkkk", "0a0a", "hunter2"):
            assert secret not in done.stderr


def test_the_search_of_all_logs_finds_secrets_and_marks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for leak in (planted.ENVIRONMENT["SECRET_KEY"], "[secret]", f"airsense_{'k' * 43}"):
        write(log, f"harmless\n{{'leak': '{leak}'}}\n")
        with pytest.raises(AssertionError):
            planted.search(log)
    write(log, "harmless\n")
    planted.search(log)


def test_a_wrong_form_is_refused_at_start(demo: Platform) -> None:
    done = Platform({**demo.env, "LOG_FORMAT": "xml"}).attempt("check")
    assert done.returncode != 0
    assert "LOG_FORMAT='xml' must be one of text, json." in done.stderr


def test_lines_go_to_cloudwatch(demo: Platform) -> None:
    port = free_port()
    aws = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": f"http://127.0.0.1:{port}",
        "LOG_CLOUDWATCH_GROUP": "airsense",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: listens(port))
            os.environ |= {name: value for name, value in aws.items() if name.startswith("AWS")}
            client = boto3.client("logs")
            client.create_log_group(logGroupName="airsense")
            with Platform({**demo.env, **aws}).site(processes=1) as site:
                site.get(QUERY, X_Request_ID="in-the-cloud")
                until(lambda: cloud_lines(client, "in-the-cloud"))
            (line,) = cloud_lines(client, "in-the-cloud")
        finally:
            for name in aws:
                os.environ.pop(name, None)
            server.kill()
    assert (line["route"], line["status"]) == ("/api/delays_by_day/", 200)


def cloud_lines(client: Any, request_id: str) -> Lines:
    response = client.filter_log_events(logGroupName="airsense")
    events = [json.loads(event["message"]) for event in response["events"]]
    return [event for event in events if event.get("request_id") == request_id]


def test_two_destinations_share_the_limit_of_a_kind() -> None:
    limits, written = Limits(3), list[str]()
    log = logging.Logger("flooded")
    for _ in range(2):
        handler = Collected(written)
        handler.addFilter(limits)
        log.addHandler(handler)
    for _ in range(10):
        log.error("the same")
    assert len(written) == 2 * 3


class Collected(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
