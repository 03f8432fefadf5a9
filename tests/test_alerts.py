"""Alerts: what causes them, and their delivery by mail and webhook exactly once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import Error
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from airsense import alerting
from flights.mirror import Mirror
from flights.models import Export, TableVersion
from flights.models.mirrored import DelaysByDay
from tests.alert_receivers import SECRET, Mailbox, Webhook, mailbox, webhook
from tests.platform import Platform, Site, until
from transfers import services, tasks, warehouse_jobs
from transfers.exceptions import SourceMissing
from transfers.models import Alert, Delivery, Transfer, WarehouseJob
from transfers.run import runner

DAYS = DelaysByDay
TO = "on-call@example.org"


class Gone:
    """A warehouse whose tables are missing."""

    def __getattr__(self, name: str) -> Any:
        raise SourceMissing("The table is gone.", advice="Build it.")


@pytest.fixture
def nothing_yet(demo: Platform) -> Iterator[None]:
    """Delete all alerts and troubles before and after the test."""
    Alert.objects.all().delete()
    yield
    succeed()
    Alert.objects.all().delete()


@pytest.fixture
def mails(settings: Settings, nothing_yet: None) -> Iterator[Mailbox]:
    with mailbox() as box:
        settings.ALERT_MAIL_TO = [TO]
        for name, value in alerting.mail(f"smtp://127.0.0.1:{box.port}", [TO]).items():
            setattr(settings, name, value)
        yield box


@pytest.fixture
def hook(settings: Settings, nothing_yet: None) -> Iterator[Webhook]:
    with webhook() as hook:
        _set_webhook(settings, hook.url)
        yield hook


def _set_webhook(settings: Settings, url: str) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = alerting.webhook(url, SECRET)


def fail() -> None:
    with pytest.raises(SourceMissing):
        runner.run(services.queue([DAYS], "test"), Gone())


def succeed() -> None:
    runner.run(services.queue([DAYS], "test"))


def grow_old() -> None:
    long_ago = timezone.now() - timedelta(days=2)
    TableVersion.objects.filter(table="delays_by_day").update(confirmed_at=long_ago)


def kinds() -> list[str]:
    return list(Alert.objects.order_by("pk").values_list("kind", flat=True))


def test_a_failing_table_is_alerted_once_and_so_is_its_recovery(
    mails: Mailbox, hook: Webhook
) -> None:
    fail()
    tasks.deliver_alerts()
    fail()
    tasks.deliver_alerts()
    assert [m["type"] for m in hook.received] == ["table.failed"]
    assert hook.received[0]["data"]["table"] == "delays_by_day"
    assert "The table is gone." in hook.received[0]["data"]["text"]
    assert hook.received[0]["data"]["advice"] == "Build it."
    succeed()
    succeed()
    fail()
    tasks.deliver_alerts()
    tasks.deliver_alerts()
    kinds = ["failed", "recovered", "failed"]
    assert [m["type"] for m in hook.received] == [f"table.{kind}" for kind in kinds]
    assert [m["Subject"] for m in mails.received] == [f"AirSense: delays_by_day {k}" for k in kinds]
    assert {m["To"] for m in mails.received} == {TO}
    assert len({m["id"] for m in hook.received} | {m["Message-ID"] for m in mails.received}) == 6


def test_a_lost_worker_and_an_unreachable_queue_are_alerted_but_a_cancelled_transfer_is_not(
    nothing_yet: None,
) -> None:
    (transfer,) = services.queue([DAYS], "test")
    services.cancel(transfer, by="test")
    assert kinds() == []
    Transfer.objects.create(
        table="delays_by_day", status="running", asked_by="x", heartbeat_at="2001-01-01T00Z"
    )
    tasks.reap()
    assert kinds() == ["failed"]
    assert "worker stopped" in Alert.objects.get().text
    number = TableVersion.objects.filter(published__table="delays_by_day").get().number
    services.queue([DAYS], "test")
    Transfer.objects.filter(status="queued").update(asked_at="2001-01-01T00Z")
    tasks.reap()
    succeed()
    assert kinds() == ["failed", "recovered"]
    assert TableVersion.objects.get(published__table="delays_by_day").number == number


def test_an_alert_is_written_in_the_transaction_of_its_cause(nothing_yet: None) -> None:
    (transfer,) = services.queue([DAYS], "test")
    with transaction.atomic():
        services.withdraw([transfer.pk], SourceMissing("gone"))
        assert kinds() == ["failed"]
        transaction.set_rollback(True)
    assert kinds() == []
    transfer.refresh_from_db()
    assert transfer.status == Transfer.Status.QUEUED


def test_a_stale_table_is_alerted_once_until_a_transfer_confirms_it(
    hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    tasks.look_at_freshness()
    assert kinds() == []
    grow_old()
    tasks.look_at_freshness()
    tasks.look_at_freshness()
    assert kinds() == ["stale"]
    # The log says so each minute, which deploy/aws/operations.yml counts.
    assert caplog.messages.count("stale tables: delays_by_day") == 2
    fail()
    assert kinds() == ["stale", "failed"]
    succeed()  # the warehouse has nothing new, which is enough for freshness
    tasks.look_at_freshness()
    assert sorted(kinds()[2:]) == ["fresh", "recovered"]
    tasks.deliver_alerts()
    assert len(hook.received) == 4


def test_the_api_alerts_and_dashboard_agree_on_freshness_after_a_roll_back(
    nothing_yet: None, site: Site
) -> None:
    def stale() -> tuple[bool, bool, bool]:
        """By the API, the alerts and the dashboard."""
        tasks.look_at_freshness()
        page = browser.get("/admin/").content.decode()
        described = site.get("/api/delays_by_day/describe").json()
        open_ones = Alert.objects.filter(subject="delays_by_day", kind="stale", ended_at=None)
        return described["stale"], open_ones.exists(), "(stale)" in page

    browser = Client()
    browser.force_login(User.objects.create_superuser("sees-freshness"))
    runner.run(services.queue([DAYS], "test", forced=True))
    new, old = TableVersion.objects.filter(table="delays_by_day").order_by("-number")[:2]
    TableVersion.objects.filter(pk=old.pk).update(confirmed_at=timezone.now() - timedelta(days=9))
    try:
        assert stale() == (False, False, False)
        services.roll_back(DAYS, old.number, by="test")
        assert stale() == (True, True, True)
        succeed()  # the newest version is found unchanged, and it is not the published one
        tasks.look_at_freshness()
        assert stale() == (True, True, True)
    finally:
        services.roll_back(DAYS, new.number, by="test")
    assert stale() == (False, False, False)
    assert kinds()[-1] == "fresh"


def test_a_failed_job_is_alerted_once_and_so_is_the_next_success(hook: Webhook) -> None:
    broken = SimpleUploadedFile("broken.csv", b"not a header\n1\n")
    warehouse_jobs.queue("append", "test", broken)
    warehouse_jobs.work()
    broken.seek(0)
    warehouse_jobs.queue("append", "test", broken)
    warehouse_jobs.work()
    tasks.deliver_alerts()
    assert [m["type"] for m in hook.received] == ["job.failed"]
    assert hook.received[0]["data"]["job"] == "ingest"
    assert "broken.csv" in hook.received[0]["data"]["text"]
    warehouse_jobs.queue("build", "test")  # another kind of job does not end this trouble
    warehouse_jobs.work()
    assert kinds() == ["failed"]
    warehouse_jobs._end(WarehouseJob(pk=_queued_ingest()), status="succeeded", error="", advice="")
    tasks.deliver_alerts()
    assert [m["type"] for m in hook.received] == ["job.failed", "job.recovered"]


def _queued_ingest() -> int:
    return int(WarehouseJob.objects.create(kind="append", asked_by="test").pk)


def test_a_failed_export_is_alerted_once_and_so_is_the_next_success(hook: Webhook) -> None:
    def ended(status: str) -> None:
        now = timezone.now()
        Export.objects.create(
            table="delays_by_day",
            number=1,
            query=f"x={now}",
            format="csv",
            status=status,
            finished_at=now,
            error="The storage is full." if status == "failed" else "",
        )
        tasks.look_at_freshness()

    try:
        for status in ("failed", "failed", "done", "done"):
            ended(status)
        tasks.look_at_freshness()
        tasks.deliver_alerts()
    finally:
        Export.objects.filter(query__startswith="x=").delete()
    assert [m["type"] for m in hook.received] == ["export.failed", "export.recovered"]
    assert "The storage is full." in hook.received[0]["data"]["text"]


def test_two_processes_that_see_the_same_failure_write_one_alert(nothing_yet: None) -> None:
    def other() -> None:
        with closing(connection):
            tasks.look_at_freshness()

    grow_old()
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            tasks.look_at_freshness()
            second = pool.submit(other)
            until(_waits_for_a_lock)
        second.result()
    assert kinds() == ["stale"]


def test_two_workers_at_once_deliver_an_alert_once(hook: Webhook) -> None:
    def other() -> None:
        with closing(connection):
            tasks.deliver_alerts()

    fail()
    hook.open.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(other)
        until(lambda: hook.attempts)
        tasks.deliver_alerts()
        assert not first.done()  # the second delivery did not wait for the first
        hook.open.set()
        first.result()
    tasks.deliver_alerts()
    assert (hook.attempts, len(hook.received)) == (1, 1)


def test_a_receiver_that_was_down_gets_each_alert_once_later(mails: Mailbox, hook: Webhook) -> None:
    fail()
    hook.status = 503
    tasks.deliver_alerts()
    tasks.deliver_alerts()
    assert hook.attempts == 1  # the second attempt waits for its time
    waiting = Delivery.objects.get(channel="webhook")
    assert (waiting.attempts, waiting.error) == (1, "The receiver answered 503.")
    assert len(mails.received) == 1  # one channel does not delay another
    hook.status = 204
    until(lambda: tasks.deliver_alerts() or hook.received)
    tasks.deliver_alerts()
    assert (len(hook.received), len(mails.received)) == (1, 1)


def test_an_alert_that_cannot_be_delivered_for_a_day_is_dropped(hook: Webhook) -> None:
    fail()
    Alert.objects.update(happened_at=timezone.now() - timedelta(hours=25))
    tasks.deliver_alerts()
    assert hook.attempts == 0


def test_no_address_and_no_secret_is_shown(
    hook: Webhook, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    fail()
    _set_webhook(settings, "http://someone:password@127.0.0.1:1/path-of-a-customer")
    tasks.deliver_alerts()
    browser = Client()
    browser.force_login(User.objects.create_superuser("watches-alerts"))
    pk = Alert.objects.get().pk
    pages = ["", f"{pk}/change/", "?delivered=no", "?delivered=yes&kind__exact=failed"]
    texts = [browser.get(f"/admin/transfers/alert/{page}").content.decode() for page in pages]
    assert "1 attempts, No delivery: ConnectionError." in texts[0]
    assert "ConnectionError" in texts[1]
    assert "ConnectionError" in texts[2]
    assert "ConnectionError" not in texts[3]
    dashboard = browser.get("/admin/").content.decode()
    assert f"/admin/transfers/alert/{pk}/change/" in dashboard
    for text in (*texts, dashboard, caplog.text, Delivery.objects.get().error):
        for secret in ("path-of-a-customer", "password@", SECRET):
            assert secret not in text


def test_a_worker_delivers_what_the_environment_asks_for_at_once(fresh: Platform) -> None:
    with webhook() as hook, mailbox() as box:
        fresh.env |= {
            "ALERT_MAIL_TO": TO,
            "EMAIL_URL": f"smtp://127.0.0.1:{box.port}",
            "ALERT_WEBHOOK_URL": hook.url,
            "ALERT_WEBHOOK_SECRET": SECRET,
        }
        assert fresh.attempt("transfer", "delays_by_day").returncode == 1
        with fresh.running("worker"):
            until(lambda: hook.received and box.received)
    assert hook.received[0]["type"] == "table.failed"
    assert box.received[0]["From"] == "airsense@localhost"


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(seconds=-5), 24, "daily"])
def test_an_invalid_freshness_is_refused(wrong: Any) -> None:
    class Odd(DelaysByDay):
        mirror = Mirror(order=("day_of_week",), fresh_within=wrong)

        class Meta:
            proxy = True
            app_label = "flights"
            apps = type(DelaysByDay._meta.apps)()

    errors = [error for error in Odd.check() if error.id == "flights.E004"]
    assert isinstance(errors[0], Error)
    assert "fresh_within" in errors[0].msg


@pytest.mark.parametrize(
    ("env", "says"),
    [
        (
            {"ALERT_WEBHOOK_SECRET": "whsec_c2hvcnQ="},
            "ALERT_WEBHOOK_SECRET is not of the form whsec_",
        ),
        ({"ALERT_WEBHOOK_URL": "ftp://host"}, "ALERT_WEBHOOK_URL is not of the form"),
        ({"EMAIL_URL": ""}, "there is no mail server"),
    ],
)
def test_a_bad_setting_is_refused_at_start(env: dict[str, str], says: str) -> None:
    good = {
        "ALERT_WEBHOOK_URL": "http://127.0.0.1/x",
        "ALERT_WEBHOOK_SECRET": SECRET,
        "EMAIL_URL": "smtp://127.0.0.1",
        "ALERT_MAIL_TO": "ops@example.org",
    }
    refused = Platform({**good, **env}).attempt("check")
    assert refused.returncode != 0
    assert says in refused.stderr
    assert not any(value in refused.stderr for value in env.values() if value)


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        (waits,) = cursor.fetchone()
    return bool(waits)
