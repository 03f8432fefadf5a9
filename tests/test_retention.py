"""Which data of clients are stored, and for how long."""

import os
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from airsense import data_folder, logs, tasks
from airsense.models import Identity
from tests.platform import Platform

DAY = 86_400


def write(path: Path, text: str, days_ago: float) -> Path:
    path.write_text(text)
    when = time.time() - days_ago * DAY
    os.utime(path, (when, when))
    return path


def test_a_log_is_rotated_once_a_day_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with log.open("a") as writing:
        for text in ("yesterday's and today's\n", "newer\n"):
            writing.write(text)
            writing.flush()
            logs.rotate(tmp_path)
        assert log.read_text() == "newer\n"
    (aside,) = tmp_path.glob("*.log.*")
    assert aside.read_text() == "yesterday's and today's\n"


def test_at_start_lines_of_earlier_days_move_to_their_files(tmp_path: Path) -> None:
    for text in ("one\n", "two\n"):
        write(tmp_path / "serve.log", text, 3)
        logs.begin(tmp_path)
    write(tmp_path / "serve.log", "of today\n", 0)
    logs.begin(tmp_path)
    (aside,) = tmp_path.glob("*.log.*")
    assert aside.read_text() == "one\ntwo\n"
    assert (tmp_path / "serve.log").read_text() == "of today\n"


def test_no_line_is_kept_for_more_than_30_days(tmp_path: Path) -> None:
    write(tmp_path / "postgres.log", "SELECT 'a word'", 60)  # not started since
    write(tmp_path / "serve.log.2026-01-01", "old", 29.5)
    write(tmp_path / "valkey.log.1", "old", 31)
    young = write(tmp_path / "serve.log.2026-01-02", "young", 28)
    logs.begin(tmp_path)
    assert [p for p in tmp_path.iterdir() if p.stat().st_size] == [young]


def test_the_schedule_deletes_expired_sessions_and_logs(demo: Platform) -> None:
    Session.objects.create(
        session_key="old", session_data="x", expire_date=timezone.now() - timedelta(seconds=1)
    )
    (data_folder.folder() / "logs").mkdir(exist_ok=True)
    old = write(data_folder.folder() / "logs" / "test.log.2000-01-01", "a word", 40)
    tasks.forget()
    assert not Session.objects.filter(session_key="old").exists()
    assert not old.exists()
    scheduled = set(PeriodicTask.objects.filter(enabled=True).values_list("task", flat=True))
    assert {"airsense.tasks.forget", "airsense.tasks.note_uses_of_keys"} <= scheduled


def test_the_schedule_deletes_old_users_of_a_provider_who_got_no_permission(demo: Platform) -> None:
    long_ago = timezone.now() - timedelta(days=31)
    people = {
        "stranger": User(date_joined=long_ago),
        "young": User(),
        "let_in": User(date_joined=long_ago, is_staff=True),
    }
    for name, user in people.items():
        user.username = f"{name}-{uuid.uuid4()}"
        user.save()
        Identity.objects.create(user=user, issuer="https://example.org", subject=user.username)
    own = User.objects.create_user(f"own-{uuid.uuid4()}", date_joined=long_ago)  # of no provider
    tasks.forget()
    pks = [user.pk for user in (*people.values(), own)]
    left = set(User.objects.filter(pk__in=pks).values_list("pk", flat=True))
    assert left == {people["young"].pk, people["let_in"].pk, own.pk}


def test_no_query_address_or_key_of_a_client_is_logged(demo: Platform, tmp_path: Path) -> None:
    own = Platform({**demo.env, "TRUSTED_PROXIES": "1"}, log=tmp_path / "log")
    who = {"X_Forwarded_For": "198.51.100.77", "X_API_Key": f"airsense_{'z' * 43}"}
    with own.site(processes=1) as site:
        for path in (
            "/api/search?q=zebra",
            "/api/delays_by_day/?Day_of_Week=zebra",
            "/api/delays_by_day/?Day_of_Week=zebra&format=csv",
            "/api/flight_delay_data/?Origin_City__icontains=zebra&count=exact",
            "/api/delays_by_day/?zebra=1",
            "/api/zebra/?q=zebra",
            "/explorer?table=delays_by_day&Day_of_Week=zebra",
            "/explorer?table=zebra",
            f"/?{'zebra' * 2_000}",
        ):
            site.get(path, X_Forwarded_For="198.51.100.77")
            site.get(path, **who)
    log = own.log.read_text()
    assert "Started" in log
    for word in ("zebra", "198.51", "zzz"):
        assert word not in log
