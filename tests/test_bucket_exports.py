"""Exports in a bucket: moto's server speaks S3 on loopback."""

import hashlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import boto3
import pytest

from tests.commands import Command
from tests.exporting import TABLE, execute, row, slowly, start, sweep, swept
from tests.platform import Platform, Site, free_port, until
from tests.platforms import own_platform

PART = 8 << 20  # bytes; boto3's default

BUCKET, PREFIX = "files", "airsense-exports"
ROWS = 60_000
FLIGHTS = "\n".join(f"2013-01-{1 + n % 28:02},Airline {n},A,B,{n % 60},5" for n in range(ROWS))
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def s3(port: int) -> Iterator[Any]:
    """A server with an empty bucket, and a client of it."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            client = boto3.client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{port}",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                region_name="us-east-1",
            )
            until(lambda: listens(port))
            client.create_bucket(Bucket=BUCKET)
            yield client
        finally:
            server.kill()


def listens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/"):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def platform(port: int) -> Iterator[Platform]:
    """A published table, whose exports go to the bucket."""
    with own_platform() as own:
        own.ingest(FLIGHTS)
        own.manage("transfer", TABLE)
        storage = {
            "EXPORTS_S3_BUCKET": BUCKET,
            "EXPORTS_S3_ENDPOINT": f"http://127.0.0.1:{port}",
            "EXPORT_LOST_AFTER": "2",
        }
        yield Platform({**own.env, **CREDENTIALS, **storage})


@pytest.fixture(scope="module")
def site(platform: Platform) -> Iterator[Site]:
    with platform.site(processes=1) as site:
        yield site


@pytest.fixture(scope="module")
def server(port: int) -> Iterator[Any]:
    with s3(port) as client:
        yield client


@pytest.fixture
def bucket(platform: Platform, port: int, server: Any) -> Any:
    execute(platform, "TRUNCATE flights_export CASCADE")
    empty(port, server)
    return server


def empty(port: int, server: Any) -> None:
    """Let the server lose all files."""
    urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/reset", b"").close()
    server.create_bucket(Bucket=BUCKET)


def with_storage_at(platform: Platform, port: int, **env: str) -> Platform:
    """The platform, with its storage at another port, where none answers yet."""
    endpoint = f"http://127.0.0.1:{port}"
    return Platform({**platform.env, "EXPORTS_S3_ENDPOINT": endpoint, **env})


def worker(platform: Platform) -> AbstractContextManager[Command]:
    return platform.running("worker", "--concurrency=1")


def ends(platform: Platform, key: str, status: str = "done") -> dict[str, Any]:
    until(lambda: row(platform, key)["status"] == status, seconds=60)
    return row(platform, key)


def names(bucket: Any) -> list[str]:
    listed = bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [entry["Key"] for entry in listed]


def incomplete_uploads(bucket: Any) -> int:
    return len(bucket.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


def link(platform: Platform, key: str) -> str:
    return platform.python(
        "from flights.exports import presentation; from flights.models import Export;"
        f"print(presentation.link(Export.objects.get(pk='{key}')))"
    ).strip()


def test_a_file_goes_to_the_bucket_in_parts_and_comes_from_it_by_a_signed_link(
    platform: Platform, site: Site, bucket: Any
) -> None:
    with worker(platform):
        key = start(platform, format_="ndjson")
        done = ends(platform, key)
    streamed = site.get(f"/api/{TABLE}/?format=ndjson")
    assert done["bytes"] == len(streamed.body) > 8 << 20
    assert done["digest"] == hashlib.sha256(streamed.body).hexdigest()
    assert names(bucket) == [f"{PREFIX}/{done['claim']}.ndjson"]
    parts = bucket.head_object(Bucket=BUCKET, Key=names(bucket)[0], PartNumber=1)
    assert parts["PartsCount"] == math.ceil(done["bytes"] / PART) > 1
    address = link(platform, key)
    assert 80_000 < int(re.findall(r"X-Amz-Expires=(\d+)", address)[0]) <= 24 * 3600
    with urllib.request.urlopen(address) as file:
        assert file.read() == streamed.body
        assert file.headers["Content-Type"] == streamed.headers["content-type"]
        assert file.headers["Content-Disposition"] == streamed.headers["content-disposition"]
    for header, part in (("bytes=1000-", slice(1000, None)), ("bytes=-8", slice(-8, None))):
        request = urllib.request.Request(address, headers={"Range": header})
        with urllib.request.urlopen(request) as file:
            assert (file.status, file.read()) == (206, streamed.body[part])


def test_an_empty_file_is_stored_and_an_expired_one_is_deleted(
    platform: Platform, bucket: Any
) -> None:
    with worker(platform):
        keys = [start(platform, "Airline_Name=none", format_) for format_ in ("ndjson", "csv")]
        assert [ends(platform, key)["rows_done"] for key in keys] == [0, 0]
    assert len(names(bucket)) == 2
    execute(platform, "UPDATE flights_export SET expires_at = now() - interval '1 second'")
    sweep(platform)
    assert [row(platform, key)["status"] for key in keys] == ["expired"] * 2
    assert names(bucket) == []


@pytest.mark.deep
def test_an_upload_is_retried_until_the_storage_is_back(platform: Platform) -> None:
    execute(platform, "TRUNCATE flights_export CASCADE")
    platform = with_storage_at(platform, port := free_port())
    with worker(platform):
        key = start(platform, "limit=10")
        until(lambda: row(platform, key)["error"], seconds=60)
        away = row(platform, key)
        assert (away["status"], away["attempts"]) == ("queued", 1)
        assert away["error"] == "The storage of exports did not take the file."
        with s3(port) as bucket:
            until(lambda: swept(platform, key) == "done", seconds=60)
            assert len(names(bucket)) == 1
    assert row(platform, key)["error"] == ""


def test_an_export_fails_when_the_storage_stays_unreachable(platform: Platform) -> None:
    execute(platform, "TRUNCATE flights_export CASCADE")
    own = with_storage_at(platform, free_port(), EXPORT_ATTEMPTS="1")
    with worker(own):
        key = start(own, "limit=10")
        failed = ends(own, key, "failed")
    assert failed["error"] == "The storage of exports did not take the file."


def test_exports_are_listed_while_the_storage_is_unreachable(
    platform: Platform, site: Site, port: int, bucket: Any
) -> None:
    with worker(platform):
        ends(platform, start(platform, "limit=10"))
    body = json.dumps({"table": TABLE, "query": "limit=10", "format": "csv"}).encode()
    headers = {"Content_Type": "application/json", "Authorization": f"Token {platform.token()}"}
    with with_storage_at(platform, free_port()).site(processes=1) as away:
        response = away.request("POST", "/api/exports/", body, **headers)
    assert (response.status, response.json()["status"]) == (200, "done")
    empty(port, bucket)
    again = site.request("POST", "/api/exports/", body, **headers)
    assert again.status == 202
    assert again.json()["id"] != response.json()["id"]


@pytest.mark.deep
def test_incomplete_uploads_of_killed_and_deleted_exports_are_aborted(
    platform: Platform, bucket: Any
) -> None:
    with slowly(platform, pause=0.1, at_once=50_000):
        with worker(platform) as process:
            killed = start(platform, format_="ndjson")
            until(lambda: incomplete_uploads(bucket), seconds=60)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert (incomplete_uploads(bucket), names(bucket)) == (1, [])
        platform.python(
            "from django.utils import timezone; from flights.exports import retention;"
            "retention.STORAGE.remove_unfinished(timezone.now())"
        )
        assert incomplete_uploads(bucket) == 0
        with worker(platform):
            until(lambda: swept(platform, killed) and incomplete_uploads(bucket), seconds=60)
            execute(platform, f"DELETE FROM flights_asker WHERE export_id = '{killed}'")
            execute(platform, f"DELETE FROM flights_export WHERE id = '{killed}'")
            until(lambda: not incomplete_uploads(bucket))  # the worker itself aborts its upload
    assert names(bucket) == []
