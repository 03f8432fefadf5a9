"""docker-compose.yml and the image: what can be proved of them without Docker."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from compose_spec import PyCompose

from airsense.home import PROJECT
from tests.servers import own_environment
from tests.whole import Platform, Site, free_port, until

SERVED = ["/healthz", "/readyz", "/static/airsense.css", "/static/admin/css/base.css"]


def compose() -> dict[str, Any]:
    """The file with the default of each variable."""
    text = (PROJECT / "docker-compose.yml").read_text()
    return dict(yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)))


def services() -> dict[str, Any]:
    """Those of the project's own image."""
    return {n: s for n, s in compose()["services"].items() if s["image"] == "airsense"}


def image(folder: Path) -> Path:
    """The files that .dockerignore lets into the image."""
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, copy = PROJECT / line[1:], folder / line[1:]
            copy.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    return folder


def test_the_compose_file_holds_to_its_specification() -> None:
    assert set(services()) < set(PyCompose.from_yaml(yaml.safe_dump(compose())).service_names())


def test_no_service_of_ours_is_root_or_holds_a_secret_in_its_environment() -> None:
    assert "USER 10001:10001" in (PROJECT / "Dockerfile").read_text()
    for name, service in services().items():
        secret = {n for n in service["environment"] if re.search("PASSWORD|SECRET|TOKEN", n)}
        assert all(variable.endswith("_FILE") for variable in secret), name
        assert "@" not in service["environment"]["DATABASE_URL"].replace("airsense@", ""), name


def test_the_web_server_waits_for_nothing_but_postgresql() -> None:
    assert services()["web"]["depends_on"] == {"postgres": {"condition": "service_started"}}


def test_a_service_that_the_public_reaches_can_change_nothing_of_its_system() -> None:
    for name, service in {**services(), "nginx": compose()["services"]["nginx"]}.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"] == ["/tmp"], name  # noqa: S108  # of the container


def test_nginx_reads_its_own_file_and_is_not_root() -> None:
    nginx = compose()["services"]["nginx"]
    (mounted,) = nginx["volumes"]
    assert mounted == f"./deploy/nginx.conf:{nginx['command'][-1]}:ro"
    assert nginx["user"].split(":")[0] != "0"
    assert "listen 8080 " in (PROJECT / "deploy" / "nginx.conf").read_text()
    assert nginx["ports"][0].endswith(":8080")


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    script = shutil.copytree(PROJECT / "deploy", tmp_path / "deploy") / "make-secrets"
    made = [
        subprocess.run([script], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    names = {name: Path(s["file"]) for name, s in compose()["secrets"].items()}
    assert sorted(made[0].split()) == sorted(" ".join(f"made {f}" for f in names.values()).split())
    assert made[1] == ""
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    texts = {(tmp_path / file).read_text() for file in names.values()}
    assert len(texts) == len(names)
    assert min(map(len, texts)) == 64


def test_every_service_runs_by_its_own_command_from_the_files_of_the_image(tmp_path: Path) -> None:
    code, port = image(tmp_path / "app"), free_port()
    (tmp_path / "secret").write_text("not in the environment\n")
    files = {n: str(tmp_path / "secret") for n in ("SECRET_KEY_FILE", "DATABASE_PASSWORD_FILE")}
    files["STATIC_ROOT"] = str(code / "staticfiles")
    home = {"AIRSENSE_HOME": str(tmp_path / "data"), "PORT": str(port), **files}
    ours = services()
    platform = Platform({**ours["web"]["environment"], **own_environment(), **home}, code)
    platform.manage("collectstatic", "--no-input", "--verbosity=0")
    platform.manage(*ours["migrate"]["command"])
    site = Site(f"http://127.0.0.1:{port}")
    with (
        platform.running(*ours["worker"]["command"]) as worker,
        platform.running(*ours["beat"]["command"]) as beat,
        platform.running(*ours["web"]["command"]) as web,
    ):
        for step in ours["demo"]["command"][0].split(" && "):
            platform.manage(*step.split()[2:])
        for path in SERVED:
            assert site.get(path).status == 200, path
        for name in ("worker", "beat"):
            _, program, script, *arguments = ours[name]["healthcheck"]["test"]
            assert (program, script) == ("python", "manage.py")
            until(lambda asked=arguments: platform.attempt(*asked).returncode == 0)
        for process in (worker, beat, web):
            process.terminate()
            assert process.wait(20) == 0, process.args
    assert not list(code.rglob(".airsense*"))
    platform.remove()
