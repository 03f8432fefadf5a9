"""The curl lines of docs/api.md work as written, and docs/security.md names tests that exist."""

import re
import shlex
import subprocess
import uuid
from string import Template

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from airsense import data_folder
from flights.access import keys
from flights.models import ApiKey, Asker, Export
from tests.platform import Site

TEXT = (data_folder.PROJECT / "docs" / "api.md").read_text()
LINES = [
    re.sub(r" \\\n +", " ", line)
    for line in re.findall(r"^ {4}(curl .*(?:\n {6}.*)*)$", TEXT, re.MULTILINE)
]


SECURITY = (data_folder.PROJECT / "docs" / "security.md").read_text()
NAMED_TESTS = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", SECURITY)


@pytest.fixture
def credentials(site: Site) -> dict[str, str]:
    """Values for the placeholders: a key and a token that may export, and an export of the key."""
    token = Token.objects.get_or_create(user=User.objects.get(username="admin"))[0].key
    key = ApiKey(name="documentation")
    secret, query = keys.make(key), str(uuid.uuid4())
    export = Export.objects.create(table="delays_by_day", number=1, query=query, format="csv")
    Asker.objects.create(export=export, key=key)
    return {"KEY": secret, "TOKEN": token, "EXPORT": str(export.pk)}


@pytest.mark.parametrize("line", LINES)
def test_a_curl_line_of_the_documentation_works(
    site: Site, credentials: dict[str, str], line: str
) -> None:
    line = Template(line).safe_substitute(credentials)
    words = shlex.split(line.replace("http://127.0.0.1:8000", site.url))
    done = subprocess.run([*words, "--silent", "--fail-with-body"], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stdout
    assert len(done.stdout) > 50


@pytest.mark.parametrize(("file", "test"), NAMED_TESTS)
def test_a_test_that_the_security_page_names_exists(file: str, test: str) -> None:
    text = (data_folder.PROJECT / file).read_text()
    assert f"def {test}(" in text if test else "def test_" in text


def test_every_hostile_test_file_is_named_on_the_security_page() -> None:
    files = {
        f"tests/hostile/{p.name}" for p in (data_folder.PROJECT / "tests/hostile").glob("test_*.py")
    }
    assert files <= {file for file, _ in NAMED_TESTS}
