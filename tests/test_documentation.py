"""What docs/api.md shows works as it is written there: every curl line is run."""

import re
import shlex
import subprocess

import pytest

from airsense import home
from tests.whole import Site

TEXT = (home.PROJECT / "docs" / "api.md").read_text()
LINES = [
    re.sub(r" \\\n +", " ", line)
    for line in re.findall(r"^ {4}(curl .*(?:\n {6}.*)*)$", TEXT, re.MULTILINE)
]


@pytest.mark.parametrize("line", LINES)
def test_a_curl_line_of_the_documentation_works(site: Site, line: str) -> None:
    words = shlex.split(line.replace("http://127.0.0.1:8000", site.url))
    done = subprocess.run([*words, "--silent", "--fail-with-body"], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stdout
    assert len(done.stdout) > 50
