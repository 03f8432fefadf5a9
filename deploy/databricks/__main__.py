"""Write the bundle's SQL files and its job from the broker: `python -m deploy.databricks`.

docs/databricks.md says how to deploy the bundle. `databricks.yml` is written by hand.
"""

from pathlib import Path
from typing import Any

import yaml

from transfers import broker
from transfers.broker import airport_list

FOLDER = Path(__file__).parent
NOTE = "# Written by `python -m deploy.databricks`.\n"
# SQL files have no catalog and schema of their own, so each statement follows these two.
USE = "USE CATALOG IDENTIFIER(:catalog);\nUSE SCHEMA IDENTIFIER(:schema);\n"


def files() -> dict[str, str]:
    """Return the text of each generated file, by its path in this folder."""
    sql = {f"sql/{table}.sql": f"{USE}{text}" for table, text in statements().items()}
    return {**sql, "job.yml": NOTE + yaml.safe_dump({"resources": {"jobs": {"broker": job()}}})}


def statements() -> dict[str, str]:
    """Return the SQL of each table, with the list of airports."""
    return {airport_list.NAME: airport_list.sql(), **{t: broker.sql(t) for t in broker.TABLES}}


def job() -> dict[str, Any]:
    """Return the job: a task for each table, after those of the tables that it reads."""
    return {
        "name": "AirSense broker",
        "description": "Builds AirSense's tables from raw_flight_records.",
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "parameters": [
            {"name": name, "default": f"${{var.{name}}}"} for name in ("catalog", "schema")
        ],
        "schedule": {
            "quartz_cron_expression": "${var.schedule}",
            "timezone_id": "UTC",
            "pause_status": "UNPAUSED",
        },
        "tasks": [_task(table, sql) for table, sql in statements().items()],
    }


def _task(table: str, sql: str) -> dict[str, Any]:
    read = sorted({*broker.READ.findall(sql)} & statements().keys() - {table})
    after = {"depends_on": [{"task_key": name} for name in read]} if read else {}
    return {
        "task_key": table,
        **after,
        "max_retries": 1,  # each statement replaces its table, so it can run again
        "sql_task": {
            "warehouse_id": "${var.warehouse_id}",
            "file": {"path": f"sql/{table}.sql", "source": "WORKSPACE"},
            "parameters": {
                name: f"{{{{job.parameters.{name}}}}}" for name in ("catalog", "schema")
            },
        },
    }


def main() -> None:
    (FOLDER / "sql").mkdir(exist_ok=True)
    for path, text in files().items():
        (FOLDER / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
