"""A client generated from the OpenAPI description works and is typed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airsense import data_folder
from tests.platform import Site

CLIENT_PROGRAM = """
import json, sys
from airsense_client import Client
from airsense_client.api.search import search
from airsense_client.api.tables import busiest_airports_by_delays as airports
from airsense_client.api.tables import flight_delay_data as flights
from airsense_client.api.tables import flight_delay_data_description as description
from airsense_client.models import BusiestAirportsByDelays, FlightDelayDataPage, Problem, Table

client = Client(base_url=sys.argv[1])
page = airports.sync(client=client, total_arrivals_gte=1000, order_by="-Total_Avg_Delay", limit=3)
first = page.results[0]
assert isinstance(first, BusiestAirportsByDelays)
dated = flights.sync(client=client, origin_city="Newark, NJ", limit=1)
assert isinstance(dated, FlightDelayDataPage)
wrong = airports.sync_detailed(client=client, order_by="Nope")
assert isinstance(wrong.parsed, Problem)
table = description.sync(client=client)
assert isinstance(table, Table)
found = search.sync(client=client, q="honolulu")
print(json.dumps({
    "cities": [row.city for row in page.results],
    "delay": type(first.total_avg_delay).__name__,
    "day": type(dated.results[0].flight_date).__name__,
    "version": page.version,
    "wrong": [wrong.status_code, wrong.parsed.status, wrong.parsed.detail, wrong.parsed.allowed],
    "units": {column.name: column.unit for column in table.columns},
    "found": [value.value for table in found.tables for value in table.values],
}))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a client generated from docs/openapi.yml without network access."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "options.yml").write_text("post_hooks: []\n")
    tool = Path(sys.executable).with_name("openapi-python-client")
    made = subprocess.run(
        [
            *(tool, "generate", "--path", data_folder.PROJECT / "docs" / "openapi.yml"),
            *("--output-path", folder / "airsense_client", "--meta", "none"),
            *("--config", folder / "options.yml", "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def ask(client: Path, url: str) -> Any:
    env = {**os.environ, "PYTHONPATH": str(client)}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT_PROGRAM, url],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.deep  # tests.test_described_responses compares responses with it every day
def test_a_generated_client_gets_typed_rows_and_typed_problems(site: Site, client: Path) -> None:
    result = ask(client, site.url)
    path = "/api/busiest_airports_by_delays/?Total_Arrivals__gte=1000&order_by=-Total_Avg_Delay"
    rows = site.get(f"{path}&limit=3").json()["results"]
    assert result["cities"] == [row["City"] for row in rows]
    assert (result["delay"], result["day"], result["version"]) == ("float", "date", 1)
    status, problem, detail, allowed = result["wrong"]
    assert (status, problem) == (400, 400)
    assert "'Nope'" in detail
    assert "City" in allowed
    assert result["units"]["Arrival_Delay_Minutes"] == "minutes"
    assert "Honolulu, HI" in result["found"]
