"""Programs in five languages that read exactly what the explorer shows."""

import json
from dataclasses import dataclass

from .address import LANGUAGES
from .graphql_text import graphql
from .state import State

# A browser with JavaScript puts the server's own address in its place.
ORIGIN = "http://localhost:8000"
PYTHON = """import json
import urllib.request

url = {url}
with urllib.request.urlopen(url) as response:
    rows = json.load(response)["results"]
print(len(rows), "rows")
"""
R = """library(jsonlite)

url <- {url}
rows <- fromJSON(url)$results
print(nrow(rows))
"""
JAVASCRIPT = """const url = {url};
const response = await fetch(url);
const rows = (await response.json()).results;
console.log(rows.length, "rows");
"""
TEMPLATES = {"python": PYTHON, "r": R, "javascript": JAVASCRIPT}


@dataclass(frozen=True)
class Tab:
    name: str
    title: str
    link: str
    is_on: bool


def tabs(state: State) -> list[Tab]:
    """The languages with the addresses that show them."""
    return [
        Tab(
            name,
            title,
            f"{state.link({'language': None if name == 'curl' else name})}#code",
            name == state.language,
        )
        for name, title in LANGUAGES.items()
    ]


def program(state: State) -> list[str]:
    """The program in the chosen language, in parts between which ORIGIN stands."""
    if state.language == "graphql":
        return [graphql(state)]
    url = f"{ORIGIN}{state.api}"
    if state.language == "curl":
        text = f"curl -H 'Accept: application/json' '{_shell(url)}'\n"
    else:
        text = TEMPLATES[state.language].format(url=json.dumps(url, ensure_ascii=False))
    return text.split(ORIGIN)


def _shell(text: str) -> str:
    return text.replace("'", "'\\''")
