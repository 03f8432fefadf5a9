"""Schedules: the built-in ones, those of administrators, and those that cannot run."""

import html
import itertools
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import schedule
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from airsense import schedule_times
from airsense.schedules import HOUSEKEEPING
from flights.tables import NAMES
from tests.fault_probes import database
from tests.platform import Platform, until
from tests.samples import daily
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
    """The form of a schedule, as a browser sends it: also the fields that it does not show."""
    defaults = {
        **{"name": "nightly", "task": TRANSFER, "enabled": "on", "existing": "append"},
        **{"repeated": "keep", "frequency": "interval", "every": 7, "unit": "hours", "day": 1},
        **{"time": "06:00", "zone": "America/New_York"},
    }
    return {**defaults, **values}


def page_of(row: PeriodicTask, action: str = "change") -> str:
    return f"{LIST}{row.pk}/{action}/"


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


def test_beat_does_not_wait_for_a_last_run_in_the_future(fresh: Platform) -> None:
    name = "sweep the exports"
    with database(fresh) as connection:
        connection.execute(
            "UPDATE django_celery_beat_periodictask SET last_run_at = now() + interval '30 hours'"
            " WHERE name = %s",
            [name],
        )
    with fresh.running("beat"):
        until(lambda: scheduled(fresh, name)[0][3] > 0, 40)  # it runs every 10 s


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


DAILY = {"frequency": "daily"}
CRON = {"frequency": "crontab"}


REFUSED = [  # fields, and the reason
    ({"task": "os.system"}, "os.system is not one of the available choices"),
    ({"task": "transfers.tasks.job"}, "transfers.tasks.job is not one of the available"),
    ({"tables": ["delays_by_dya"]}, "delays_by_dya is not one of the available choices"),
    ({"frequency": ""}, "This field is required"),
    ({"every": ""}, "This field is required"),
    ({"every": 0}, "greater than or equal to 1"),
    ({"every": 10**12, "unit": "days"}, "less than or equal to 10000"),
    ({"every": 4, "unit": "minutes"}, "At least 5 minutes must be between two runs"),
    ({**DAILY, "time": ""}, "This field is required"),
    ({**DAILY, "time": "25:00"}, "Enter a valid time"),
    ({**DAILY, "zone": "Atlantis"}, "There is no time zone"),
    ({"frequency": "monthly", "day": 31}, "less than or equal to 28"),
    ({"frequency": "once", "date": ""}, "This field is required"),
    ({"frequency": "once", "date": "2020-01-01"}, "This time is in the past"),
    ({**CRON, "expression": "0 6 * *"}, "A cron expression has five fields"),
    ({**CRON, "expression": "0 6 * * x"}, "Unrecognised Day of Week"),
    ({**CRON, "expression": "* 6 * * *"}, "At least 5 minutes must be between two runs"),
    ({**CRON, "expression": "58,1 * * * *"}, "At least 5 minutes must be between two runs"),
    ({**CRON, "expression": "0 6 30 2 *"}, "never occurs in month_of_year"),
    ({"task": INGEST}, "the following arguments are required: names"),
    ({"task": INGEST, "paths": "a\n--delete"}, "Not the name of a file or folder: --delete"),
    ({"task": INGEST, "paths": "a", "repeated": "b"}, "b is not one of the available choices"),
    ({"task": INGEST, "paths": "../secrets"}, "it is not in INGEST_FOLDER"),
    ({"task": INGEST, "paths": "a\n2024/../../*.csv"}, "it is not in INGEST_FOLDER"),
    ({"task": INGEST, "paths": "a", "columns": "/etc/shadow"}, "not in INGEST_FOLDER"),
    ({"task": INGEST, "paths": "/etc"}, "it is not in INGEST_FOLDER"),
    ({"task": PUBLISH, "months": "2024-13"}, "is not a month"),
    ({"task": PUBLISH, "months": "2024-02..2024-01"}, "ends before it begins"),
]


@pytest.mark.parametrize(("wrong", "says"), daily(REFUSED))
def test_a_schedule_that_cannot_run_is_refused_with_the_reason(
    demo: Platform, wrong: dict[str, str], says: str
) -> None:
    response = client("operator").post(ADD, form(**wrong))
    assert response.status_code == 200
    assert says in html.unescape(response.content.decode())
    assert not PeriodicTask.objects.filter(name="nightly").exists()


@pytest.mark.parametrize(
    ("fields", "args", "sentence"),
    [
        ({}, [], "Every 7 hours: transfer all tables."),
        (
            {"tables": ["delays_by_day", "airports"], "every": 60, "unit": "minutes"},
            ["delays_by_day", "airports"],
            "Every hour: transfer delays_by_day, airports.",
        ),
        (
            {**DAILY, "task": PUBLISH, "zone": "new york"},
            [],
            "Every day at 06:00 New York time: download the newest months, ingest, build and"
            " transfer all tables.",
        ),
        (
            {**DAILY, "task": PUBLISH, "months": "2024-01..2024-12", "weekdays": list("12345")},
            ["2024-01..2024-12"],
            "Monday to Friday at 06:00 New York time: download 2024-01..2024-12, ingest, build and"
            " transfer all tables.",
        ),
        (
            {**DAILY, "task": BUILD, "weekdays": ["0", "3"], "zone": "UTC"},
            [],
            "Every Wednesday and Sunday at 06:00 UTC: build the final tables in the warehouse.",
        ),
        (
            {"frequency": "monthly", "day": 2, "time": "23:30", "zone": "Europe/Paris"},
            [],
            "On day 2 of each month at 23:30 Paris time: transfer all tables.",
        ),
        (
            {"frequency": "once", "date": "2099-07-01"},
            [],
            "Once, on 1 Jul 2099, 10:00 UTC: transfer all tables.",
        ),
        (
            {**CRON, "expression": "0 */6 * 1-3 *", "zone": "UTC"},
            [],
            "Every 6 hours, January through March UTC: transfer all tables.",
        ),
        (
            {"task": INGEST, "paths": "2024\r\n2025/*.zip", "existing": "months"}
            | {"repeated": "drop", "columns": "mine.toml"},
            [
                *("2024", "2025/*.zip", "--replace-months", "--repeated", "drop"),
                *("--columns", "mine.toml"),
            ],
            "Every 7 hours: ingest the new files of 2024, 2025/*.zip.",
        ),
    ],
)
def test_a_schedule_is_made_by_choices_explained_in_a_sentence_and_kept_by_saving_it_again(
    demo: Platform, fields: dict[str, Any], args: list[str], sentence: str
) -> None:
    browser = client("operator")
    page = browser.post(ADD, form(**fields), follow=True)
    row = PeriodicTask.objects.get(name="nightly")
    try:
        assert sentence in html.unescape(page.content.decode())
        assert (row.task, json.loads(row.args)) == (fields.get("task", TRANSFER), args)
        again = browser.get(page_of(row)).context["adminform"].form
        browser.post(page_of(row), {**sent(again), "name": "nightly", "enabled": "on"})
        same = PeriodicTask.objects.get(name="nightly")
        names = ("args", "interval", "crontab", "clocked", "one_off", "last_run_at")
        assert [getattr(same, name) for name in names] == [getattr(row, name) for name in names]
    finally:
        row.delete()


def sent(form: Any) -> dict[str, Any]:
    """What a browser sends of a form that nobody has changed."""
    values = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, "")}


@pytest.mark.parametrize(
    ("zone", "clock", "last", "due"),
    [  # times in UTC; clocks in New York change on 8 March and on 1 November 2026
        ("America/New_York", "06:00", "2026-03-07T11:00", "2026-03-08T10:00"),
        ("America/New_York", "06:00", "2026-10-31T10:00", "2026-11-01T11:00"),
        ("America/New_York", "02:30", "2026-03-07T07:30", "2026-03-08T07:30"),  # there is no 02:30
        ("America/New_York", "01:30", "2026-10-31T05:30", "2026-11-01T05:30"),  # 01:30 comes twice
        ("America/New_York", "01:30", "2026-11-01T05:30", "2026-11-02T06:30"),
        ("Asia/Kolkata", "00:15", "2026-03-07T18:45", "2026-03-08T18:45"),
    ],
)
def test_the_next_run_is_when_beat_runs_it_also_when_clocks_change(
    demo: Platform, zone: str, clock: str, last: str, due: str
) -> None:
    hour, minute = clock.split(":")
    cron = CrontabSchedule(hour=str(int(hour)), minute=str(int(minute)), timezone=ZoneInfo(zone))
    before, expected = (datetime.fromisoformat(f"{text}+00:00") for text in (last, due))
    assert schedule_times.due_after(PeriodicTask(crontab=cron), before) == expected
    beat = cron.schedule
    for seconds, runs in ((-2, False), (2, True)):
        beat.nowfun = partial(as_if, expected + timedelta(seconds=seconds), cron.timezone)
        assert beat.is_due(before).is_due is runs


def as_if(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone)


def test_the_list_shows_the_next_run_in_its_zone_and_in_utc_and_no_housekeeping(
    demo: Platform,
) -> None:
    browser = client("operator")
    browser.post(ADD, form(**DAILY, zone="Asia/Kolkata"))
    page = browser.get(LIST).content.decode()
    PeriodicTask.objects.get(name="nightly").delete()
    assert re.search(r"\d+ \w+ \d{4}, 06:00 Kolkata time \(00:30 UTC\)", page)
    assert not [name for name in HOUSEKEEPING if name in page]
    housekeeping = browser.get(f"{LIST}housekeeping/").content.decode()
    assert all(name in housekeeping for name in HOUSEKEEPING)
    assert "Every 10 seconds" in housekeeping


def test_a_schedule_of_an_older_release_that_cannot_run_is_listed_with_the_reason(
    own: PeriodicTask,
) -> None:
    never = CrontabSchedule.objects.create(hour="6", day_of_month="30", month_of_year="2")
    PeriodicTask.objects.filter(pk=own.pk).update(interval=None, crontab=never)
    page = client("viewer").get(LIST).content.decode()
    assert "cannot run" in page
    assert "never occurs in month_of_year" in page
    never.delete()


def test_a_schedule_whose_time_is_changed_does_not_make_up_for_a_run(own: PeriodicTask) -> None:
    PeriodicTask.objects.filter(pk=own.pk).update(last_run_at="2001-01-01T00:00Z")
    client("operator").post(page_of(own), form(name="mine", **DAILY))
    own.refresh_from_db()
    due = schedule_times.next_run(own)
    assert due
    assert due > timezone.now()


def test_a_schedule_is_run_paused_and_resumed_on_its_page_unless_it_is_so_already(
    own: PeriodicTask,
) -> None:
    browser = client("operator")
    page = browser.get(page_of(own)).content.decode()
    assert page_of(own, "pause") in page
    assert page_of(own, "resume") not in page
    assert "Paused: mine. Next run: none: it is paused." in post(browser, own, "pause")
    assert page_of(own, "pause") not in browser.get(page_of(own)).content.decode()
    assert "mine is paused already." in post(browser, own, "pause")
    assert "Resumed: mine." in post(browser, own, "resume")
    assert "Queued: mine." in post(browser, own, "run-now")
    housekeeping = PeriodicTask.objects.get(task="transfers.tasks.reap")
    assert browser.post(page_of(housekeeping, "pause")).status_code == 403


def test_a_schedule_whose_only_time_is_over_is_not_resumed(own: PeriodicTask) -> None:
    over = ClockedSchedule.objects.create(clocked_time="2020-01-01T00:00Z")
    PeriodicTask.objects.filter(pk=own.pk).update(
        interval=None, clocked=over, one_off=True, enabled=False
    )
    browser = client("operator")
    assert "The time of mine is in the past." in post(browser, own, "resume")
    action = {"action": "resume", "_selected_action": [own.pk]}
    assert (
        "The time of mine is in the past."
        in browser.post(LIST, action, follow=True).content.decode()
    )
    own.refresh_from_db()
    assert not own.enabled
    over.delete()


def post(browser: Client, row: PeriodicTask, action: str) -> str:
    return html.unescape(browser.post(page_of(row, action), follow=True).content.decode())


def test_the_housekeeping_can_neither_be_changed_disabled_nor_deleted(demo: Platform) -> None:
    browser, chosen = client("administrator"), PeriodicTask.objects.filter(name__in=HOUSEKEEPING)
    rows = list(chosen.select_related("interval"))
    assert len(rows) == len(HOUSEKEEPING)
    for row in rows:
        for path in (f"{row.pk}/change/", f"{row.pk}/delete/"):
            values = form(name=row.name, post="yes", enabled="")
            assert browser.post(f"{LIST}{path}", values).status_code == 403, (row, path)
    for action in ("pause", "delete_selected"):
        chosen_rows = {"_selected_action": [row.pk for row in rows], "post": "yes"}
        browser.post(LIST, {"action": action, **chosen_rows}, follow=True)
    after = list(chosen.select_related("interval"))
    assert [(r.enabled, r.interval.every) for r in after] == [
        (True, row.interval.every) for row in rows
    ]


def test_a_schedule_is_paused_and_resumed_by_those_who_may_change_it(own: PeriodicTask) -> None:
    def do(group: str, action: str) -> bool:
        client(group).post(LIST, {"action": action, "_selected_action": [own.pk]})
        own.refresh_from_db()
        return bool(own.enabled)

    assert do("viewer", "pause")
    assert not do("operator", "pause")
    assert not do("viewer", "resume")
    assert do("operator", "resume")


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
    for _ in range(2):  # the second one finds the alert that ended the trouble
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
