"""Backups of a running platform, restored into empty databases and data folders."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flights.tables import NAMES
from tests import expected_tables, servers
from tests.platform import Platform, until
from tests.platforms import own_platform
from tests.small_disk import small_disk

pytestmark = pytest.mark.timeout(300)

RECORDS = 60
PASSWORD = "a password of the test"
# What a platform has besides tables: a user with a token, a key, a schedule, a citation, and work
# that is not complete.
CONTENT = f"""
import uuid
from django.contrib.auth.models import User
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from flights.access import keys
from flights.models import ApiKey, Citation, Export
from rest_framework.authtoken.models import Token
from transfers.models import Transfer, WarehouseJob
user = User.objects.create_superuser("ada", password="{PASSWORD}")
weekly = IntervalSchedule.objects.create(every=7, period="days")
PeriodicTask.objects.create(name="weekly", task="transfers.tasks.build_tables", interval=weekly)
Citation.objects.create(name="cited", title="Cited figure", heads=["a"], rows=[[1]])
active = dict(claim=uuid.uuid4(), started_at=timezone.now(), heartbeat_at=timezone.now())
Transfer.objects.create(table="other_table", status="running", asked_by="ada", **active)
Transfer.objects.create(table="no_table", status="queued", asked_by="ada")
WarehouseJob.objects.create(kind="build", status="running", asked_by="ada", **active)
for number, status in enumerate(["queued", "running", "done"]):
    Export.objects.create(table="airlines", number=1, query=str(number), format="csv",
                          status=status, claim=uuid.uuid4())
print(Token.objects.create(user=user).key, keys.make(ApiKey(name="lab")))
"""
FIGURES = """
import json
from flights.models import TableVersion
from transfers.load import columns, verification
versions = TableVersion.objects.filter(published_at__isnull=False)
print(json.dumps({str(v): verification.figures(v, columns.stored(v)) for v in versions}))
"""
USERS_AND_SCHEDULES = f"""
from django.contrib.auth import authenticate
from django_celery_beat.models import PeriodicTask
print(authenticate(username="ada", password="{PASSWORD}"))
print(PeriodicTask.objects.get(name="weekly").schedule.human_seconds)
"""
UNFINISHED = """
from flights.models import Export
from transfers.models import Transfer, WarehouseJob
for model in (Transfer, WarehouseJob, Export):
    print(*model.objects.order_by("pk").values_list("status", flat=True))
"""


@dataclass(frozen=True)
class Source:
    """A platform, its backup, and the secrets of its users."""

    platform: Platform
    backup: Path
    token: str
    key: str

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.backup / "manifest.json").read_text()))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A platform that was backed up while it published versions of all tables."""
    settings = {"VERSIONS_KEPT": "20", "TRANSFER_LOST_AFTER": "3600"}
    home = str(tmp_path_factory.mktemp("home"))
    with own_platform(AIRSENSE_HOME=home, SECRET_KEY="", **settings) as own:
        own.ingest(expected_tables.as_csv(expected_tables.records(1, RECORDS)).strip())
        own.manage("transfer", "--all")
        token, key = own.python(CONTENT).split()
        backup = tmp_path_factory.mktemp("backups") / "backup"
        with ThreadPoolExecutor(1) as threads:
            publisher = threads.submit(own.program, "tests.publisher", "1", str(RECORDS))
            own.manage("backup", str(backup))
            publisher.result()
        yield Source(own, backup, token, key)


@pytest.fixture
def empty(tmp_path: Path) -> Platform:
    """The settings of a platform whose database and data folder are empty."""
    return Platform(
        servers.own_environment()
        | {"AIRSENSE_HOME": f"{tmp_path}/home", "WAREHOUSE_URL": f"duckdb://{tmp_path}/warehouse"}
        | {"SECRET_KEY": ""}  # so that it is generated
    )


def test_a_restored_platform_has_the_tables_users_keys_schedules_and_citations(
    source: Source, empty: Platform
) -> None:
    output = empty.manage("restore", str(source.backup))
    assert all_visible(empty)
    expected, restored = (json.loads(p.python(FIGURES)) for p in (source.platform, empty))
    assert set(NAMES) == {version.partition("/")[0] for version in restored}
    assert restored == {version: expected[version] for version in restored}
    assert output.count("hash equal") == len(source.manifest["versions"])
    with empty.site(processes=1) as site:
        numbers = {name: site.get(f"/api/{name}/").json()["version"] for name in NAMES}
        assert numbers == source.manifest["published"]
        assert len(set(numbers.values())) == 1  # tables that are published together
        assert site.get("/api/exports/", X_API_Key=source.key).status == 200
        assert site.get("/api/exports/", X_API_Key=source.key[:-1] + "~").status == 401
        token = {"Authorization": f"Token {source.token}"}
        assert site.get("/api/transfers/", **token).status == 200
        assert b"Cited figure" in site.get("/citations/cited/").body
    homes = (Path(platform.env["AIRSENSE_HOME"]) for platform in (source.platform, empty))
    assert len({(home / "secret_key").read_text() for home in homes}) == 1
    assert empty.python(USERS_AND_SCHEDULES).split() == ["ada", "7.00", "days"]
    transfers, jobs, exports = empty.python(UNFINISHED).splitlines()
    assert {"queued", "running"}.isdisjoint(f"{transfers} {jobs} {exports}".split())
    assert sorted(exports.split()) == ["expired", "failed", "failed"]
    empty.manage("transfer", "--all")


def all_visible(platform: Platform) -> bool:
    """Whether the planner has statistics, and index-only scans read no rows of versions."""
    query = "SELECT bool_and(relallvisible = relpages AND reltuples >= 0) FROM pg_class"
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        rows = connection.execute(rf"{query} WHERE relkind = 'r' AND relname ~ '__v\d+$'")
        return bool(rows.fetchall()[0][0])


def test_a_backup_can_be_read_by_its_owner_only_and_its_digests_by_a_common_tool(
    source: Source,
) -> None:
    modes = {p.stat().st_mode & 0o777 for p in source.backup.rglob("*") if p.is_file()}
    assert modes == {0o600}
    assert source.backup.stat().st_mode & 0o777 == 0o700
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=source.backup, check=True)
    secrets = {path.name for path in (source.backup / "secrets").iterdir()}
    home = Path(source.platform.env["AIRSENSE_HOME"])
    generated = {name for name in ("secret_key", "admin_password") if (home / name).exists()}
    assert secrets == generated
    assert "secret_key" in generated


def test_a_backup_without_secrets_has_none_and_never_overwrites(
    source: Source, tmp_path: Path
) -> None:
    source.platform.manage("backup", str(tmp_path / "new"), "--without-secrets")
    assert not (tmp_path / "new" / "secrets").exists()
    again = source.platform.attempt("backup", str(tmp_path / "new"))
    assert again.returncode == 1
    assert "exists: name another folder" in again.stderr
    missing = source.platform.attempt("backup", str(tmp_path / "missing" / "new"))
    assert "No such file or directory" in missing.stderr


def test_a_damaged_or_newer_backup_is_refused_before_anything_is_restored(
    source: Source, empty: Platform, tmp_path: Path
) -> None:
    def refusal(name: str) -> str:
        done = empty.attempt("restore", str(tmp_path / name))
        assert done.returncode == 1
        return done.stderr

    for name in ("truncated", "edited", "lacking", "extended", "newer"):
        shutil.copytree(source.backup, tmp_path / name)
    with next((tmp_path / "truncated" / "database").glob("*.gz")).open("r+b") as file:
        file.truncate(5)
    assert "was changed" in refusal("truncated")
    change_manifest(tmp_path / "edited")
    assert "manifest.json was changed" in refusal("edited")
    (tmp_path / "lacking" / "warehouse.duckdb").unlink()
    assert "warehouse.duckdb is missing" in refusal("lacking")
    (tmp_path / "extended" / "more").write_text("")
    assert "more does not belong to it" in refusal("extended")
    sign(tmp_path / "newer", change_manifest(tmp_path / "newer"))
    assert "newer release (9.0), whose database has the migration flights.9999" in refusal("newer")
    assert "is no finished backup" in refusal("home")
    assert not relations(empty)
    assert not empty.warehouse.exists()


def change_manifest(backup: Path) -> Path:
    """Let a backup say that a newer release made it; returns the manifest."""
    file = backup / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest |= {"release": "9.0", "migrations": [*manifest["migrations"], "flights.9999_new"]}
    file.write_text(json.dumps(manifest))
    return file


def sign(backup: Path, file: Path) -> None:
    """Write the new digest of a file."""
    sums = backup / "SHA256SUMS"
    other = [line for line in sums.read_text().splitlines() if not line.endswith(file.name)]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    sums.write_text("\n".join([*other, f"{digest}  {file.name}"]) + "\n")


def relations(platform: Platform) -> int:
    query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    with psycopg.connect(platform.env["DATABASE_URL"]) as connection:
        return int(connection.execute(query).fetchall()[0][0])


def test_a_backup_is_not_restored_over_anything(source: Source) -> None:
    before = source.platform.python(FIGURES)
    done = source.platform.attempt("restore", str(source.backup))
    assert done.returncode == 1
    assert "the database has public.airline_performance and" in done.stderr
    assert f"there is a warehouse, {source.platform.warehouse}" in done.stderr
    assert source.platform.python(FIGURES) == before


def test_a_killed_backup_leaves_nothing_that_looks_complete_and_is_cleaned_up(
    source: Source, tmp_path: Path
) -> None:
    target, left = tmp_path / "backup", tmp_path / "backup.unfinished"
    url = source.platform.env["DATABASE_URL"]
    with psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE airlines__v1__values")  # pg_dump waits for it
        with source.platform.running("backup", str(target)) as process:
            until(lambda: works(url, "pg_dump"))
            again = source.platform.attempt("backup", str(target))
            assert "Another process is writing" in again.stderr
            process.kill()
            process.wait()
    assert left.exists()
    assert not target.exists()
    refused = source.platform.attempt("restore", str(left))
    assert "is no finished backup" in refused.stderr
    source.platform.manage("backup", str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]


def works(url: str, program: str) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND datname = %s"
    with psycopg.connect(url) as connection:
        name = connection.info.dbname
        return connection.execute(query, [program, name]).fetchone() is not None


def test_a_killed_restore_leaves_an_empty_database_and_is_repeated(
    source: Source, empty: Platform
) -> None:
    url = empty.env["DATABASE_URL"]
    with psycopg.connect(url) as blocker:
        blocker.execute("CREATE TABLE flights_export ()")  # pg_restore waits for its end
        with empty.running("restore", str(source.backup)) as process:
            until(lambda: works(url, "pg_restore"))
            process.kill()
            process.wait()
        blocker.rollback()
    until(lambda: not works(url, "pg_restore"))
    assert not relations(empty)
    for command in ("setup", "run"):
        refused = empty.attempt(command)
        assert refused.returncode == 1
        assert f"run manage.py restore {source.backup} again" in refused.stderr
    output = empty.manage("restore", str(source.backup))
    assert output.count("hash equal") == len(source.manifest["versions"])


def test_a_backup_on_a_full_disk_says_so_and_leaves_nothing(source: Source) -> None:
    with small_disk(1 << 20) as disk:
        done = source.platform.attempt("backup", str(disk / "backup"))
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(disk.iterdir()) == []
