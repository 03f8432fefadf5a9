"""The documentation is right: curl lines work, links have targets, and the named code exists."""

import ast
import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from airsense.data_folder import PROJECT
from flights.access import keys
from flights.models import ApiKey, Export, Requester
from tests.platform import Site
from tests.samples import daily

PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(PROJECT.glob("docs/**/*.md"))]
CURL = re.compile(r"^ {4,6}(curl .*(?:\n {6}.*)*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CODE = re.compile(
    r"`((?:airsense|benchmarks|deploy|docs|flights|templates|tests|transfers)/[\w/.-]*)(?:::(\w+))?`"
)
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
# Files that CONTRIBUTING.md adds.
EXAMPLES = {"transfers/broker/flights_by_route.sql"}


def _curl_lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for line in CURL.findall(page.read_text()):
            yield _name(page), re.sub(r" \\\n +", " ", line)


def _links() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for groups in LINK.findall(FENCED.sub("", page.read_text())):
            link = "".join(groups)
            if not link.startswith(("http:", "https:", "mailto:")):
                yield _name(page), link


def _named_code() -> Iterator[tuple[str, str, str]]:
    for page in PAGES:
        for path, name in dict.fromkeys(CODE.findall(page.read_text())):
            if path not in EXAMPLES:
                yield _name(page), path, name


def _name(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.fixture
def variables(site: Site) -> dict[str, str]:
    """Values of $KEY, $TOKEN and $EXPORT: a key, an administrator's token, an export of the key."""
    token = Token.objects.get_or_create(user=User.objects.get(username="admin"))[0].key
    key = ApiKey(name="documentation")
    secret, query = keys.make(key), str(uuid.uuid4())
    export = Export.objects.create(table="delays_by_day", number=1, query=query, format="csv")
    Requester.objects.create(export=export, key=key)
    return {"KEY": secret, "TOKEN": token, "EXPORT": str(export.pk)}


@pytest.mark.parametrize(("page", "line"), daily(list(_curl_lines())))
def test_a_curl_line_works(
    site: Site, variables: dict[str, str], tmp_path: Path, page: str, line: str
) -> None:
    line = Template(line).safe_substitute(variables)
    words = shlex.split(line.replace("http://127.0.0.1:8000", site.url))
    command = [*words, "--silent", "--fail-with-body"]
    done = subprocess.run(command, capture_output=True, timeout=30, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(done.stdout + written) > 50


def test_links_between_pages_lead_somewhere() -> None:
    assert [f"{page}: {link}" for page, link in _links() if not _leads(page, link)] == []


def _leads(page: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (PROJECT / page).parent / path if path else PROJECT / page
    if not anchor or not target.exists():
        return target.exists()
    return anchor in map(_anchor, HEADING.findall(target.read_text()))


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_code_that_pages_name_exists() -> None:
    assert [" ".join(names) for names in _named_code() if not _exists(*names[1:])] == []


def _exists(path: str, name: str) -> bool:
    file = PROJECT / path
    if not name or not file.exists():
        return file.exists()
    definition = rf"^\s*(async def|def|class) {name}\b|^{name}\b.* = "
    return bool(re.search(definition, file.read_text(), re.MULTILINE))


def test_the_design_names_about_200_lines_of_code_to_read() -> None:
    page = (PROJECT / "docs/design.md").read_text()
    section = page.partition("## Two hundred lines to read\n")[2].partition("\n## ")[0]
    assert 150 < sum(_length(path, name) for path, name in CODE.findall(section)) < 250


def _length(path: str, name: str) -> int:
    """The lines of a function or class, without blank lines and docstrings."""
    text = (PROJECT / path).read_text()
    (node,) = (n for n in ast.parse(text).body if getattr(n, "name", "") == name)
    source = ast.get_source_segment(text, node) or ""
    for inner in ast.walk(node):
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(inner):
            source = source.replace(ast.get_source_segment(text, inner.body[0]) or "", "")
    return sum(1 for line in source.splitlines() if line.strip())


def test_the_settings_page_has_every_setting() -> None:
    example = re.findall(r"^#([A-Z_0-9]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE)
    page = (PROJECT / "docs" / "settings.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {*re.findall(r"`([A-Z_0-9]+)`", "".join(rows))} == {*example}


def test_every_page_is_on_the_map() -> None:
    """docs/README.md leads to every page, directly or through the overview of a folder."""
    linked = {
        ((PROJECT / page).parent / link.partition("#")[0]).resolve()
        for page, link in _links()
        if page in ("docs/README.md", "docs/api.md", "docs/adr/README.md")
    }
    pages = set(PROJECT.glob("docs/**/*.md"))
    assert pages - linked <= {PROJECT / "docs" / "README.md"}


def test_every_hostile_test_file_is_named_on_the_page_of_hostile_cases() -> None:
    named = {path for page, path, _ in _named_code() if page == "docs/hostile-cases.md"}
    files = {f"tests/hostile/{p.name}" for p in (PROJECT / "tests/hostile").glob("test_*.py")}
    assert files <= named
