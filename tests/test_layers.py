"""Data flow one way, and imports follow them: warehouse -> transfers -> flights -> people."""

import ast
from collections.abc import Iterator
from pathlib import Path

from airsense.home import PROJECT

# A folder and what it may not import: `airsense` wires the others, so they do not know it.
FORBIDDEN = {
    "flights": {"transfers", "airsense", "duckdb", "databricks", "sqlglot"},
    "transfers": {"airsense"},
}
# What only these may import: a warehouse is known to one module.
ONLY = {
    "duckdb": ("transfers/warehouses/duckdb",),
    "databricks": ("transfers/warehouses/databricks",),
    **dict.fromkeys(("boto3", "botocore", "storages"), ("flights/exports/bucket",)),
    # Tens of megabytes: web processes load it for the files that need it.
    "pyarrow": ("transfers/", "flights/arrow", "flights/exports/"),
}


def test_imports_follow_the_data() -> None:
    wrong = [
        f"{path} imports {name}"
        for folder in ("airsense", "flights", "transfers")
        for path, name in _imports(PROJECT / folder)
        if name in FORBIDDEN.get(folder, ()) or not path.startswith(ONLY.get(name, ("",)))
    ]
    assert wrong == []


def _imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Each module and the top of each absolute import in it."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                yield path.relative_to(PROJECT).as_posix(), name.partition(".")[0]
