"""Imports go one way: warehouse -> transfers -> flights -> people, and one way between folders."""

import ast
from collections.abc import Iterator

from airsense.data_folder import PROJECT

# The folders and modules of each app from the bottom to the top. Each may import what stands in a
# line above its own. `airsense` wires the other two, so they do not know it.
LAYERS = {
    "flights": """
        claims durable lending log_fields log_secrets quality sqlstates tracing
        mirror
        errors models
        finite links rotating_password tables
        arrow_schema freshness versions
        query
        access entities
        queue reader_role web
        ask exports search
        tasks
        api
        admin graphql mcp pages
        management urls
    """,
    "transfers": """
        bars exceptions identifiers models reference wide_decimals
        disk_errors demo figures overview
        alerts run_log warehouse_contact warehouses
        ingest load quality
        download
        broker inspection services terminal
        job_bars
        run
        warehouse_jobs
        tasks
        api
        preview_api
        admin legacy_api management pages
        urls
    """,
    "airsense": """
        arguments backoff celery celery_logging checks cloudwatch command_help cors cpus csp
        data_folder deployment_checks logs models log_config log_limits navigation new_database
        parent_death permission_groups probes replica request_ids routes tracing
        embedded
        access_log log_formats metrics
        scheduled_task
        alerting container_secrets login_throttle schedule_times schedule_work schedules
        sign_in
        processes settings status
        hanging_database
        warehouse_check
        admin gateway tasks
        backup edge health status_page
        activity timeline
        apps dashboard management urls wsgi
    """,
}
FORBIDDEN = {
    "flights": {"transfers", "airsense", "duckdb", "databricks", "sqlglot"},
    "transfers": {"airsense"},
}
# Only these modules may import the library.
ONLY = {
    "duckdb": ("transfers/warehouses/duckdb",),
    "databricks": ("transfers/warehouses/databricks",),
    "storages": ("flights/exports/bucket",),
    **dict.fromkeys(("boto3", "botocore"), ("flights/exports/bucket", "airsense/cloudwatch")),
    "opentelemetry": ("airsense/tracing",),  # imported only if traces are on
    # 0.3 s of CPU: web processes load it if a sign-in provider is set.
    **dict.fromkeys(("authlib", "joserfc"), ("airsense/sign_in/provider.py",)),
    # A second and tens of megabytes: web processes load it for the requests that need it.
    "mcp": ("flights/mcp/server",),
    # Tens of megabytes: web processes load it for the files that need it.
    "pyarrow": ("transfers/", "flights/arrow_schema", "flights/exports/"),
}


def test_imports_follow_the_data() -> None:
    wrong = [
        f"{path} imports {name}"
        for app in LAYERS
        for path, name, _ in _imports(app)
        if name in FORBIDDEN.get(app, ()) or not path.startswith(ONLY.get(name, ("",)))
    ]
    assert wrong == []


def test_imports_between_the_folders_of_an_app_go_one_way() -> None:
    wrong = [
        f"{path} imports {app}.{part}"
        for app in LAYERS
        for path, name, parts in _imports(app)
        if name == app
        for part in parts
        if part != _part(path) and _height(app, part) >= _height(app, _part(path))
    ]
    assert wrong == []


def _height(app: str, part: str) -> int:
    lines = LAYERS[app].split("\n")
    return next(height for height, line in enumerate(lines) if part in line.split())


def _part(path: str) -> str:
    """The folder or module in an app: `query` of `flights/query/filters.py`."""
    return path.removesuffix(".py").split("/")[1]


def _imports(app: str) -> Iterator[tuple[str, str, set[str]]]:
    """Yield for each import: the module's path, the imported package, and its parts in use."""
    for file in (PROJECT / app).rglob("*.py"):
        path = file.relative_to(PROJECT).as_posix()
        if "/migrations/" in path or path == f"{app}/__init__.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, *_split(alias.name)) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield (path, *_split(_module(path, node), [alias.name for alias in node.names]))


def _module(path: str, node: ast.ImportFrom) -> str:
    """The absolute name of a module: `.charts` in flights/pages/x.py is `flights.pages.charts`."""
    above = path.split("/")[: -node.level] if node.level else []
    return ".".join([*above, *filter(None, [node.module])])


def _split(module: str, names: list[str] | None = None) -> tuple[str, set[str]]:
    top, *parts = module.split(".")
    return top, {parts[0]} if parts else set(names or [])
