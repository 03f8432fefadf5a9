"""The software bill of materials names every package of the platform with its version."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from airsense.data_folder import PROJECT

LOCKED = re.compile(r"^([\w.-]+)(?:\[.*\])?==(\S+)", re.MULTILINE)


@pytest.mark.deep
def test_the_sbom_names_every_locked_package(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    command = ["make", "sbom", f"SBOM={file}"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=60)
    parts = json.loads(file.read_text())["components"]
    listed = {(part["name"], part["version"], part["purl"]) for part in parts}
    locked = LOCKED.findall((PROJECT / "requirements" / "base.txt").read_text())
    assert len(locked) > 50
    assert listed == {(name, version, f"pkg:pypi/{name}@{version}") for name, version in locked}
