"""Web processes share memory and limit their cache; transfers of all sizes take equally much."""

import io
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airsense.gateway.cache_key import CacheKey
from airsense.gateway.entry import Headers, RawHeaders, Reply, encode, from_reply
from airsense.gateway.store import Store
from airsense.gateway.watch import Published
from tests.platform import Platform, Site, free_port, listens, most_memory, until
from tests.platforms import own_platform
from tests.processes import children, private
from tests.warehouse.running import running
from transfers.ingest.raw_columns import REQUIRED

ROWS, FILE_ROWS = 1_600_000, 300_000  # a file has some 20 MB, as those of Databricks
LIMIT = 300  # MB


def test_a_web_process_takes_less_than_39_mb_that_it_does_not_share(demo: Platform) -> None:
    port = free_port()
    with demo.started("serve", f"--port={port}", "--processes=1") as server:
        until(lambda: listens(port))
        assert Site(f"http://127.0.0.1:{port}").get("/healthz").status == 200
        (worker,) = children(server.pid)
        assert private(worker) < 39


@pytest.mark.parametrize("length", [0, 1_000])
def test_the_response_cache_takes_no_more_memory_than_it_counts(length: int, site: Site) -> None:
    response = site.get("/api/delays_by_day/?limit=3")
    version = response.headers["x-airsense-version"]
    current = frozenset([Published(version, datetime(2013, 1, 7, tzinfo=UTC), 1)])
    store = Store(1 << 30)

    def decode(headers: RawHeaders) -> Headers:
        return [(name.decode(), value.decode()) for name, value in headers]

    def cache(number: int) -> None:
        """Cache a response whose query, ETag and body are like no other's."""
        query, body = f"limit={number:0{length}}", response.body + str(number).encode()
        changed = {"etag": f'"{version}/{number:016x}"', "content-length": str(len(body))}
        headers = decode(encode([*(response.headers | changed).items()]))
        reply = Reply("200 OK", headers, io.BytesIO(body))
        entry = from_reply(reply, accepts_gzip=False, current=current, scopes=["tables"])
        assert entry
        store.put(CacheKey("/api/delays_by_day/", query, "json", False, False, False), entry)

    for number in range(1_000):  # fills what entries share, too
        cache(number)
    tracemalloc.start()
    before, counted = tracemalloc.get_traced_memory()[0], store.size
    for number in range(1_000, 4_000):
        cache(number)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken < store.size - counted


@pytest.mark.deep
def test_a_transfer_of_large_files_takes_less_than_300_mb(tmp_path: Path) -> None:
    pq.write_table(flights(), tmp_path / "flights.parquet")
    with running(tmp_path / "warehouse") as warehouse, own_platform(**warehouse.env) as own:
        warehouse.set(file_rows=FILE_ROWS)
        own.manage("ingest", str(tmp_path / "flights.parquet"))
        own.manage("broker")
        with own.started("transfer", "flight_delay_data") as process:
            most = most_memory(process)
        assert warehouse.log()["calls"].count("file") > ROWS / FILE_ROWS - 1
    assert process.returncode == 0
    assert most < LIMIT


@pytest.mark.deep
def test_a_transfer_from_the_embedded_warehouse_takes_less_than_300_mb(tmp_path: Path) -> None:
    pq.write_table(flights(), tmp_path / "flights.parquet")
    with own_platform() as own:
        own.manage("ingest", str(tmp_path / "flights.parquet"))
        own.manage("broker")
        with own.started("transfer", "flight_delay_data") as process:
            most = most_memory(process)
    assert process.returncode == 0
    assert most < LIMIT


def flights() -> pa.Table:
    days = [date(2013, 1, 1) + timedelta(days=n % 365) for n in range(ROWS)]
    texts = [[f"{name} {n % 300}" for n in range(ROWS)] for name in ("Airline", "City", "City")]
    delays = [pa.array([(n * k) % 90 for n in range(ROWS)], pa.int32()) for k in (1, 7)]
    return pa.Table.from_arrays([pa.array(days), *map(pa.array, texts), *delays], list(REQUIRED))
