"""docker-compose.yml and the image, checked without Docker."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from compose_spec import PyCompose

from airsense.data_folder import PROJECT
from tests import small_demo
from tests.platform import Platform, Site, free_port, until
from tests.servers import own_environment

SERVED = ["/healthz", "/readyz", "/static/airsense.css", "/static/admin/css/base.css"]


def compose() -> dict[str, Any]:
    """The file with the default of each variable."""
    text = (PROJECT / "docker-compose.yml").read_text()
    return dict(yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)))


def environment(service: str) -> dict[str, str]:
    """The environment of a service without any setting."""
    values = compose()["services"][service]["environment"]
    return {name: str(value) for name, value in values.items() if value is not None}


def make_secrets(folder: Path, **env: str) -> dict[str, str]:
    """Run the init service and return the files that it writes."""
    init = compose()["services"]["secrets"]
    folder.mkdir(exist_ok=True)
    (argument,) = init["command"]
    assert init["volumes"] == [f"secrets:{argument}"]
    command = [sys.executable, *init["entrypoint"][1:], str(folder)]
    paths = {"PATH": os.environ["PATH"]}
    subprocess.run(command, cwd=PROJECT, env=paths | env, check=True, timeout=60)
    return {file.name: file.read_text() for file in folder.iterdir()}


def settings() -> set[str]:
    """The names of all settings that .env.example lists."""
    return set(re.findall(r"^#([A-Z][A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(), re.M))


def services() -> dict[str, Any]:
    """The services that run the project's own image."""
    return {n: s for n, s in compose()["services"].items() if s["image"] == "airsense"}


def image(folder: Path) -> Path:
    """The files that .dockerignore lets into the image."""
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, copy = PROJECT / line[1:], folder / line[1:]
            copy.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    return folder


def test_the_compose_file_follows_the_compose_specification() -> None:
    assert set(services()) < set(PyCompose.from_yaml(yaml.safe_dump(compose())).service_names())


def test_each_setting_reaches_every_service_that_needs_it() -> None:
    inside = {"AIRSENSE_HOME", "STATIC_ROOT", "PORT"}  # the image and the port mapping decide these
    init = set(compose()["services"]["secrets"]["environment"])
    for name, service in services().items():
        values = service["environment"]
        files = {n for n, value in values.items() if str(value).startswith("/secrets/")}
        direct, in_files = set(values) - files, {n.removesuffix("_FILE") for n in files}
        if name != "secrets":
            assert in_files == init, name
            assert direct | in_files == settings() - inside, name
    assert "${PORT:-8000}" in (PROJECT / "docker-compose.yml").read_text()


def test_an_empty_secret_file_counts_as_unset(tmp_path: Path) -> None:
    files = make_secrets(tmp_path / "secrets")
    environment = {**own_environment(), "AIRSENSE_HOME": str(tmp_path / "data")}
    environment |= {f"{name}_FILE": str(tmp_path / "secrets" / name) for name in files}
    values = Platform(environment).python(
        "from django.conf import settings as s;"
        "print([s.HAS_READER_URL, s.DATABRICKS_TOKEN, s.ALERT_WEBHOOK_URL], s.SECRET_KEY)"
    )
    assert values.strip() == f"[False, '', ''] {files['SECRET_KEY']}"


def test_no_service_runs_as_root_or_has_a_secret_in_its_environment() -> None:
    assert "USER 10001:10001" in (PROJECT / "Dockerfile").read_text()
    # Only this service has secrets in its environment, so it gets no network.
    assert compose()["services"]["secrets"]["network_mode"] == "none"
    for name, service in services().items():
        if name == "secrets":
            continue
        # boto3 finds its credentials itself.
        names = {n for n in service["environment"] if not n.startswith("AWS_")}
        secret = {
            n for n in names if re.search("PASSWORD|SECRET|TOKEN|KEY|READER_URL|EMAIL|WEBHOOK", n)
        }
        assert all(variable.endswith("_FILE") for variable in secret), name
        assert "@" not in service["environment"]["DATABASE_URL"].replace("airsense@", ""), name


def test_the_init_service_writes_every_secret_that_the_settings_read() -> None:
    read = set(
        re.findall(r'\bsecret\("([A-Z_]+)"\)', (PROJECT / "airsense/settings.py").read_text())
    )
    assert set(compose()["services"]["secrets"]["environment"]) == read


def test_every_service_has_limits_of_its_log_memory_processors_and_processes() -> None:
    for name, service in compose()["services"].items():
        assert service["logging"]["driver"] == "json-file", name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert float(service["cpus"]) <= 2, name  # Docker refuses more than the machine has
        assert service["pids_limit"] <= 512, name


def test_the_web_server_waits_for_nothing_but_postgresql() -> None:
    assert services()["web"]["depends_on"] == {"postgres": {"condition": "service_started"}}


def test_our_services_and_nginx_run_read_only_and_without_privileges() -> None:
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


def test_secrets_are_generated_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = make_secrets(folder)
    assert make_secrets(folder) == made
    assert set(made) == set(compose()["services"]["secrets"]["environment"])
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    random = {name for name, text in made.items() if text}
    assert random == {"SECRET_KEY", "DATABASE_PASSWORD", "METRICS_TOKEN"}
    assert len({made[name] for name in random}) == 3
    assert min(len(made[name]) for name in random) == 64
    assert "/secrets" in (PROJECT / "Dockerfile").read_text()  # so that it belongs to our user


def test_a_secret_that_is_set_replaces_the_generated_one(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = make_secrets(folder)
    own = {"SECRET_KEY": "mine", "DATABRICKS_TOKEN": "dapi"}
    assert make_secrets(folder, **own) == {**made, **own}
    # Without the settings, a generated secret stays, as it is in use; an issued one is deleted.
    assert make_secrets(folder) == {**made, "SECRET_KEY": "mine"}


def test_every_other_service_waits_for_the_secrets() -> None:
    done, all_services = "service_completed_successfully", compose()["services"]
    assert all_services["postgres"]["depends_on"]["secrets"]["condition"] == done
    folder = all_services["secrets"]["command"][0]
    password = all_services["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"]
    assert password == environment("web")["DATABASE_PASSWORD_FILE"]
    for name in ("postgres", "migrate", "web", "worker", "beat", "demo"):
        assert f"secrets:{folder}:ro" in all_services[name]["volumes"], name
        assert {"secrets", "postgres"} & set(all_services[name]["depends_on"]), name


def test_every_service_runs_by_its_own_command_from_the_files_of_the_image(tmp_path: Path) -> None:
    code, port = image(tmp_path / "app"), free_port()
    make_secrets(tmp_path / "secrets")
    files = {
        name: value.replace("/secrets/", f"{tmp_path}/secrets/")
        for name, value in environment("web").items()
    }
    files["DJANGO_SETTINGS_MODULE"] = "airsense.settings"
    files["STATIC_ROOT"] = str(code / "staticfiles")
    folders = {"AIRSENSE_HOME": str(tmp_path / "data"), "PORT": str(port)}
    ours = services()
    platform = Platform({**files, **own_environment(), **folders}, code)
    small_demo.make(tmp_path / "data" / "demo")
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
            until(lambda command=arguments: platform.attempt(*command).returncode == 0)
        for name, process in {"worker": worker, "beat": beat, "web": web}.items():
            process.terminate()
            assert process.wait(20) == 0, name
    assert not list(code.rglob(".airsense*"))
    platform.remove()
