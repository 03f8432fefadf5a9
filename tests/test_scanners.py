"""Public scanners find nothing: schemathesis in the API, sqlmap in any parameter."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import psycopg
import pytest

from airsense import data_folder
from tests.platform import Platform, Site

ALASKA = "Alaska%20Airlines%20Inc."
AIRLINES = "/api/airline_performance/"
DYNAMIC = "/api/dynamic_query?table_name=airline_performance"
GRAPHQL = "/api/graphql?query="
NAMED = "query($n:String){airline_performance(where:{Airline_Name:{exact:$n}}){rows{Airline_Name}}}"
WRITTEN = '{airline_performance(where:{Airline_Name:{exact:"Alaska*"}}){rows{Airline_Name}}}'

# sqlmap injects at the asterisk; without it each path returns rows.
ADDRESSES = {
    "where": f"{DYNAMIC}&where=Airline_Name:{ALASKA}*",
    "order_by": f"{AIRLINES}?order_by=Airline_Name*",
    "a GraphQL variable": f'{GRAPHQL}{NAMED}&variables={{"n":"{ALASKA}*"}}',
    "where, in": f'{DYNAMIC}&where=Airline_Name__in:"{ALASKA}*"',
    "where, a column": f"{DYNAMIC}&where=Airline_Name*:{ALASKA}",
    "order_by of dynamic_query": f"{DYNAMIC}&order_by=Airline_Name*",
    "order_direction": f"{DYNAMIC}&order_by=Airline_Name&order_direction=DESC*",
    "table_name": f"{DYNAMIC}*",
    "a text column": f"{AIRLINES}?Airline_Name={ALASKA}*",
    "a text column, contains": f"{AIRLINES}?Airline_Name__icontains=Alaska*",
    "a number column": f"{AIRLINES}?Total_Flights__gte=1*",
    "columns": f"{AIRLINES}?columns=Airline_Name*",
    "or": f"{AIRLINES}?or=Airline_Name:{ALASKA}*",
    "group_by": f"{AIRLINES}?group_by=Airline_Name*",
    "aggregate": f"{AIRLINES}?aggregate=max:Total_Flights*",
    "having": f"{AIRLINES}?aggregate=count&having=count__gte:1*",
    "limit": f"{AIRLINES}?limit=1*",
    "cursor": f"{AIRLINES}?cursor=*",
    "a file": f"{AIRLINES}?format=csv&Airline_Name={ALASKA}*",
    "search": "/api/search?q=alaska*",
    "a table of search": "/api/search?q=alaska&table=airline_performance*",
    "suggestions": "/api/search/suggest?q=alaska*",
    "limits of suggestions": "/api/search/suggest?q=a&airline=alaska*",
    "a GraphQL document": f"{GRAPHQL}{WRITTEN}",
    "the first search": '/api/advanced_search --data={"query":"alaska*"}',
}
DAILY = ["where", "a GraphQL variable"]
QUICK = ["--technique=BE"]
THOROUGH = ["--technique=BEUSTQ", "--level=3", "--risk=3", "--time-sec=1"]

TESTED = re.compile(r"testing '[^']+'")
FOUND = "sqlmap identified the following injection point"


def sqlmap(url: str, folder: Path, how: list[str]) -> str:
    """Run sqlmap on a path, which a body may follow, and return its output."""
    address, *body = url.replace('"', "%22").split(" --data=")
    target = ["-u", address, *(["--data", url.partition(" --data=")[2]] if body else [])]
    always = ["--batch", "--disable-coloring", "--ignore-code=*", "--skip-waf", "--threads=4"]
    options = ["--dbms=PostgreSQL", f"--output-dir={folder}", *always]
    command = [sys.executable, "-m", "sqlmap.sqlmap", *target, *options, *how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    return done.stdout + done.stderr


def finds_nothing(site: Site, name: str, folder: Path, how: list[str]) -> None:
    output = sqlmap(site.url + ADDRESSES[name], folder, how)
    # A false positive ends sqlmap early; slow responses on a busy machine cause some.
    assert len(TESTED.findall(output)) >= 3 or "false positive" in output, output
    assert "all tested parameters do not appear to be injectable" in output, output
    assert FOUND not in output, output


def injectable(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A vulnerable server: it puts text into SQL and returns PostgreSQL's errors."""
    name = parse_qs(environ["QUERY_STRING"]).get("name", [""])[0]
    sql = f"SELECT v FROM (VALUES ('Alaska'), ('Delta')) AS names(v) WHERE v = '{name}'"
    try:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            body = str(connection.execute(sql.encode()).fetchall())
    except psycopg.Error as error:
        body = str(error)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]


class Silent(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # sqlmap opens connections without a request


@contextmanager
def prey() -> Iterator[str]:
    with make_server("127.0.0.1", 0, injectable, Threads, Silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/?name=Alaska*"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("technique", "BE")
def test_sqlmap_finds_what_can_be_injected(tmp_path: Path, technique: str) -> None:
    with prey() as url:
        assert FOUND in (output := sqlmap(url, tmp_path, [f"--technique={technique}"])), output


@pytest.mark.deep
@pytest.mark.parametrize("technique", "UST")  # Q, inline, needs a value that is not quoted
def test_sqlmap_finds_an_injection_by_every_technique(tmp_path: Path, technique: str) -> None:
    how = [*THOROUGH, f"--technique={technique}"]
    with prey() as url:
        assert FOUND in (output := sqlmap(url, tmp_path, how)), output


@pytest.mark.parametrize("name", DAILY)
def test_sqlmap_finds_nothing(site: Site, tmp_path: Path, name: str) -> None:
    finds_nothing(site, name, tmp_path, QUICK)


@pytest.mark.deep
@pytest.mark.parametrize("name", ADDRESSES)
def test_sqlmap_finds_nothing_by_any_technique(site: Site, tmp_path: Path, name: str) -> None:
    finds_nothing(site, name, tmp_path, THOROUGH)


def schemathesis(site: Site, folder: Path, *how: str) -> None:
    config = data_folder.PROJECT / "tests" / "schemathesis.toml"
    begin = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run"]
    # Deterministic, so that failures repeat; an Excel file of a whole table takes long.
    always = ["--generation-deterministic", "--no-color", "--warnings=off", "--request-timeout=60"]
    command = [*begin, f"{site.url}/api/schema", *always, "--suppress-health-check=all", *how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_500, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"(\d{3,}) generated, \1 passed", done.stdout), done.stdout


@pytest.mark.deep  # tests.test_fuzz sends random requests every day
def test_schemathesis_finds_nothing(site: Site, tmp_path: Path) -> None:
    # The tables are served by the same code: one of them stands for the others.
    others = ["--exclude-path-regex=(air.*|busiest_.*|flight_.*|performance_.*)/$"]
    schemathesis(site, tmp_path, "--max-examples=3", *others)


@pytest.mark.deep
def test_schemathesis_finds_nothing_by_many_examples(site: Site, tmp_path: Path) -> None:
    schemathesis(site, tmp_path, "--max-examples=500")


@pytest.mark.deep
def test_schemathesis_finds_nothing_as_a_user_who_may_do_everything(
    fresh: Platform, tmp_path: Path
) -> None:
    fresh.ingest("2013-01-07,Alpha,X,Y,10,5")
    fresh.manage("transfer", "--all")
    token = fresh.token()
    with fresh.running("worker"), fresh.site() as site:
        # Two checks do not apply: the header sends the token always, and what is cancelled stays.
        how = [
            "--include-path-regex=(exports|transfer)",
            "--exclude-checks=ignored_auth,use_after_free",
        ]
        who = f"--header=Authorization: Token {token}"
        schemathesis(site, tmp_path, *how, who, "--max-examples=100")
