"""A public scanner finds nothing: sqlmap on a condition of the query API."""

import re
import subprocess
import sys
from pathlib import Path

from tests.whole import Site

TESTED = re.compile(r"testing '([^']+)'")
FOUND = re.compile(
    r"is vulnerable|identified the following injection point|appears to be '.*inject"
)
WHERE = "/api/dynamic_query?table_name=airline_performance&where=Airline_Name:a"


def sqlmap(url: str, parameter: str, folder: Path, *more: str) -> str:
    """What sqlmap says of one parameter."""
    told = ["--batch", "--disable-coloring", "--ignore-code=*", *more]
    where = ["-u", url, "-p", parameter, f"--output-dir={folder}", "--flush-session"]
    command = [sys.executable, "-m", "sqlmap.sqlmap", *where, *told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    return done.stdout + done.stderr


def unharmed(said: str) -> None:
    """sqlmap ran its tests and found nothing."""
    assert len(TESTED.findall(said)) >= 3, said
    assert not FOUND.search(said), said


def test_sqlmap_finds_nothing_in_a_condition(site: Site, tmp_path: Path) -> None:
    unharmed(sqlmap(site.url + WHERE, "where", tmp_path, "--technique=BE", "--threads=4"))
