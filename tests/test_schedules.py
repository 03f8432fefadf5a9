"""Schedules: the built-in ones, those of administrators, and those that cannot run."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery.schedules import schedule
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from airsense.schedules import HOUSEKEEPING
from flights.tables import NAMES
from tests.fault_probes import database
from tests.platform import Platform, until
from transfers import tasks
from transfers.alerts import outbox as transfer_alerts
from transfers.models import Alert

SHIPPED = "transfer every table whose source changed"
TRANSFER = "transfers.tasks.transfer_tables"
BUILD, INGEST, PUBLISH = (
    f"transfers.tasks.{task}" for task in ("build_tables", "ingest_folder", "publish_months")
)
ADD = "/admin/django_celery_beat/periodictask/add/"
LIST = "/admin/django_celery_beat/periodictask/"
_numbers = itertools.count()


def client(group: str) -> Client:
    user = User.objects.create_user(f"schedules{next(_numbers)}", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def hourly(demo: Platform) -> IntervalSchedule:
    hourly, _ = IntervalSchedule.objects.get_or_create(every=7, period="hours")
    return hourly


@pytest.fixture
def own(demo: Platform, hourly: IntervalSchedule) -> Iterator[PeriodicTask]:
    """A schedule that an administrator created."""
    row = PeriodicTask.objects.create(name="mine", task=TRANSFER, interval=hourly, args="[]")
    yield row
    PeriodicTask.objects.filter(pk=row.pk).delete()


def form(**values: Any) -> dict[str, Any]:
    return {"name": "nightly", "task": TRANSFER, "args": "[]", "enabled": "on", **values}


def scheduled(platform: Platform, name: str) -> list[tuple[Any, ...]]:
    """The interval of a schedule, whether it is enabled, and its number of runs."""
    with database(platform) as connection:
        return connection.execute(
            "SELECT every, period, enabled, total_run_count FROM django_celery_beat_periodictask"
            " JOIN django_celery_beat_intervalschedule i ON i.id = interval_id WHERE name = %s",
            [name],
        ).fetchall()


def make_due(platform: Platform, name: str) -> None:
    with database(platform) as connection:
        connection.execute(
            "UPDATE django_celery_beat_periodictask SET last_run_at = '2001-01-01' WHERE name = %s",
            [name],
        )


def test_changes_by_an_administrator_survive_a_restart_of_beat_and_a_deployment(
    fresh: Platform,
) -> None:
    assert [row[:3] for row in scheduled(fresh, SHIPPED)] == [(3600, "seconds", True)]
    with database(fresh) as connection:
        (daily,) = connection.execute(
            "INSERT INTO django_celery_beat_intervalschedule (every, period) VALUES (1, 'days')"
            " RETURNING id"
        ).fetchone() or (0,)
        connection.execute(
            "UPDATE django_celery_beat_periodictask SET interval_id = %s, enabled = false"
            " WHERE name = %s",
            [daily, SHIPPED],
        )
    for _ in range(2):
        fresh.manage("setup")
        make_due(fresh, "sweep the exports")
        with fresh.running("beat"):
            ran = scheduled(fresh, "sweep the exports")[0][3]
            until(lambda ran=ran: scheduled(fresh, "sweep the exports")[0][3] > ran)
        assert [row[:3] for row in scheduled(fresh, SHIPPED)] == [(1, "days", False)]
    with database(fresh) as connection:
        connection.execute("DELETE FROM django_celery_beat_periodictask WHERE name = %s", [SHIPPED])
    fresh.manage("setup")
    assert scheduled(fresh, SHIPPED) == []


def test_setup_installs_housekeeping_that_a_release_adds_renames_or_changes(
    demo: Platform,
) -> None:
    ours = {task for task, _ in HOUSEKEEPING.values()}
    PeriodicTask.objects.filter(task="transfers.tasks.reap").update(name="an older name")
    PeriodicTask.objects.filter(task="flights.tasks.sweep_exports").delete()
    slow = IntervalSchedule.from_schedule(schedule(86_400))
    slow.save()
    late = PeriodicTask.objects.filter(task="transfers.tasks.deliver_alerts")
    late.update(interval=slow, enabled=False)
    call_command("setup", verbosity=0)
    rows = PeriodicTask.objects.filter(task__in=ours, enabled=True)
    assert {row.name: (row.task, row.interval.every) for row in rows} == HOUSEKEEPING


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"task": "os.system"}, "os.system is not one of the available choices"),
        ({"task": "transfers.tasks.job"}, "transfers.tasks.job is not one of the available"),
        ({"task": "celery.map"}, "celery.map is not one of the available choices"),
        ({"args": '["delays_by_dya"]'}, "delays_by_dya"),
        ({"args": '"delays_by_day"'}, "Not a list of tables"),
        ({"args": '[["delays_by_day"]]'}, "Not a list of tables"),
        ({"args": '{"names": 1}'}, "Not a list of tables"),
        ({"args": "delays_by_day"}, "Not JSON"),
        ({"args": "[" * 100_000}, "Not JSON"),
        ({"interval": ""}, "One of clocked, interval"),
        ({"task": BUILD, "args": '["x"]'}, "The task has no arguments"),
        ({"task": INGEST}, "with a mode of"),
        ({"task": INGEST, "args": '["a", "delete"]'}, "with a mode of"),
        ({"task": INGEST, "args": '["../secrets"]'}, "it is not a folder in INGEST_FOLDER"),
        ({"task": INGEST, "args": '["/etc"]'}, "it is not a folder in INGEST_FOLDER"),
        ({"task": INGEST, "args": "[1]"}, "Not a list of texts"),
        ({"task": PUBLISH, "args": '["2024-13"]'}, "is not a month"),
        ({"task": PUBLISH, "args": '["2024-02..2024-01"]'}, "ends before it begins"),
    ],
)
def test_a_schedule_that_cannot_run_is_refused_with_the_allowed_values(
    hourly: IntervalSchedule, wrong: dict[str, str], says: str
) -> None:
    browser = client("operator")
    page = browser.post(ADD, form(**{"interval": hourly.pk, **wrong})).content.decode()
    assert says in page
    if says == "delays_by_dya":
        assert all(name in page for name in NAMES)
    assert not PeriodicTask.objects.filter(name="nightly").exists()


def test_a_time_that_never_comes_is_refused(demo: Platform) -> None:
    never = CrontabSchedule.objects.create(day_of_month="30", month_of_year="2")
    page = client("operator").post(ADD, form(crontab=never.pk)).content.decode()
    never.delete()
    assert "The next run cannot be computed" in page


@pytest.mark.parametrize(
    ("task", "args"),
    [
        (BUILD, []),
        (INGEST, ["2024"]),
        (INGEST, ["2024/new", "months"]),
        (PUBLISH, []),
        (PUBLISH, ["2024-01..2024-12"]),
    ],
)
def test_a_schedule_of_a_job_is_made(hourly: IntervalSchedule, task: str, args: list[str]) -> None:
    made = form(task=task, args=json.dumps(args), interval=hourly.pk)
    assert client("operator").post(ADD, made).status_code == 302
    row = PeriodicTask.objects.get(name="nightly")
    assert (row.task, json.loads(row.args)) == (task, args)
    row.delete()


def test_a_schedule_of_some_tables_is_made(hourly: IntervalSchedule) -> None:
    made = form(args='["delays_by_day"]', interval=hourly.pk)
    assert client("operator").post(ADD, made).status_code == 302
    row = PeriodicTask.objects.get(name="nightly")
    assert (row.task, json.loads(row.args)) == (TRANSFER, ["delays_by_day"])
    row.delete()


def test_the_housekeeping_can_neither_be_changed_disabled_nor_deleted(demo: Platform) -> None:
    browser, chosen = client("administrator"), PeriodicTask.objects.filter(name__in=HOUSEKEEPING)
    rows = list(chosen.select_related("interval"))
    assert len(rows) == len(HOUSEKEEPING)
    for row in rows:
        for path in (f"{row.pk}/change/", f"{row.pk}/delete/"):
            sent = form(name=row.name, interval=row.interval.pk, post="yes", enabled="")
            assert browser.post(f"{LIST}{path}", sent).status_code == 403, (row, path)
        time = f"/admin/django_celery_beat/intervalschedule/{row.interval.pk}"
        for path in ("change", "delete"):
            sent = {"every": 9999, "period": "days", "post": "yes"}
            assert browser.post(f"{time}/{path}/", sent).status_code == 403, (row, path)
    for action in ("disable", "delete_selected", "toggle_tasks", "disable_tasks"):
        sent = {"action": action, "_selected_action": [row.pk for row in rows], "post": "yes"}
        browser.post(LIST, sent, follow=True)
    after = list(chosen.select_related("interval"))
    assert [(r.enabled, r.interval.every) for r in after] == [
        (True, row.interval.every) for row in rows
    ]


def test_a_schedule_is_disabled_and_enabled_by_those_who_may_change_it(own: PeriodicTask) -> None:
    def do(group: str, action: str) -> bool:
        client(group).post(LIST, {"action": action, "_selected_action": [own.pk]})
        own.refresh_from_db()
        return bool(own.enabled)

    assert do("viewer", "disable")
    assert not do("operator", "disable")
    assert not do("viewer", "enable")
    assert do("operator", "enable")


def test_beat_runs_no_task_but_ours_and_reports_what_cannot_run(fresh: Platform) -> None:
    with database(fresh) as connection:
        for name, task, args in (
            ("evil", "os.system", '["true"]'),
            ("map", "celery.map", "[]"),
            ("typo", TRANSFER, '["delays_by_dya"]'),
        ):
            connection.execute(
                "INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs,"
                " headers, enabled, one_off, total_run_count, date_changed, description,"
                " interval_id)"
                " SELECT %s, %s, %s, '{}', '{}', true, false, 0, now(), '', min(id)"
                " FROM django_celery_beat_intervalschedule",
                [name, task, args],
            )
        make_due(fresh, "sweep the exports")
        with fresh.running("beat"), fresh.running("worker"):
            until(lambda: len(alerts(fresh)) == 3)
            until(lambda: scheduled(fresh, "sweep the exports")[0][3] > 0)
        ran = connection.execute(
            "SELECT sum(total_run_count) FROM django_celery_beat_periodictask"
            " WHERE name IN ('evil', 'map', 'typo')"
        ).fetchone()
    assert ran == (0,)
    messages = dict(alerts(fresh))
    assert "'os.system' cannot be scheduled" in messages["evil"]
    assert all(name in messages["typo"] for name in NAMES)


def alerts(platform: Platform) -> list[tuple[str, str]]:
    with database(platform) as connection:
        return connection.execute(
            'SELECT "table", text FROM transfers_alert WHERE about = %s AND kind = %s'
            ' ORDER BY "table"',
            ["schedule", "failed"],
        ).fetchall()


def test_a_run_that_fails_before_it_has_a_row_is_alerted_and_so_is_the_next_success(
    demo: Platform,
) -> None:
    def run(*names: str) -> None:
        """Run the task as a worker does for beat."""
        demo.python(
            "from celery import current_app;"
            f"current_app.send_task('{TRANSFER}', {list(names)!r},"
            " headers={'periodic_task_name': 'nightly'})"
        )

    def kinds() -> list[str]:
        mine = Alert.objects.filter(about="schedule", subject="nightly").order_by("pk")
        return list(mine.values_list("kind", flat=True))

    try:
        with demo.running("worker"):
            run("delays_by_dya")
            until(lambda: kinds() == ["failed"])
            assert "There is no table" in Alert.objects.get(subject="nightly").text
            assert "nightly" in client("viewer").get("/admin/").content.decode()
            run("delays_by_dya")
            run("delays_by_day")
            until(lambda: kinds() == ["failed", "recovered"])
    finally:
        Alert.objects.filter(subject="nightly").delete()


def test_removing_a_schedule_ends_its_trouble(own: PeriodicTask) -> None:

    transfer_alerts.schedule_failed("mine", ValueError("no"))
    tasks.look_at_freshness()
    mine = Alert.objects.filter(subject="mine", kind="failed", ended_at=None)
    assert mine.exists()
    own.delete()
    tasks.look_at_freshness()
    assert not mine.exists()
    Alert.objects.filter(subject="mine").delete()


def test_the_schedule_of_new_months_exists_and_is_off_until_an_administrator_enables_it(
    demo: Platform,
) -> None:
    row = PeriodicTask.objects.get(name="publish the months that the DOT has released")
    assert (row.task, json.loads(row.args), row.enabled) == (
        "transfers.tasks.publish_months",
        [],
        False,
    )
    assert row.interval.every == 86_400
