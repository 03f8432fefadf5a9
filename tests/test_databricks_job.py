"""The bundle in deploy/databricks: it is the broker's SQL, and the kind of job that Databricks has.

`databricks-bundles` is Databricks' own package: it refuses fields that a job does not have.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.bundles.jobs import Job

from airsense.data_folder import PROJECT
from transfers import broker
from transfers.broker import airport_list

FOLDER = PROJECT / "deploy" / "databricks"
USE = "USE CATALOG IDENTIFIER(:catalog);\nUSE SCHEMA IDENTIFIER(:schema);\n"


def bundle() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "databricks.yml").read_text()))


def job() -> Any:
    written = yaml.safe_load((FOLDER / "job.yml").read_text())
    return written["resources"]["jobs"]["broker"]


def test_the_job_is_one_that_databricks_accepts() -> None:
    assert Job.from_dict(job()).as_dict() == job()
    with pytest.raises(ValueError, match="Unexpected field"):
        Job.from_dict(job() | {"task": []})
    text = (FOLDER / "job.yml").read_text()
    assert bundle()["include"] == ["job.yml"]
    for name in bundle()["variables"]:
        assert f"${{var.{name}}}" in text


def test_each_table_is_a_task_after_those_that_it_reads() -> None:
    tasks = {task["task_key"]: task for task in job()["tasks"]}
    assert [*tasks] == [airport_list.NAME, *broker.TABLES]
    done = set[str]()
    for table, task in tasks.items():
        assert {each["task_key"] for each in task.get("depends_on", [])} <= done
        done.add(table)
    assert tasks["airports"]["depends_on"] == [
        {"task_key": "airport_list"},
        {"task_key": "flight_delay_data"},
    ]


def test_the_files_have_the_broker_s_sql() -> None:
    for task in job()["tasks"]:
        text = (FOLDER / task["sql_task"]["file"]["path"]).read_text(encoding="utf-8")
        table = task["task_key"]
        sql = airport_list.sql() if table == airport_list.NAME else broker.sql(table)
        assert text == USE + sql
    assert len([*FOLDER.glob("sql/*.sql")]) == len(job()["tasks"])


def test_the_generated_files_are_current(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from deploy.databricks import __main__ as m;"
    code += " m.FOLDER = Path(sys.argv[1]); m.main()"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, check=True)
    for file in tmp_path.rglob("*.*"):
        assert file.read_text() == (FOLDER / file.relative_to(tmp_path)).read_text(), file
