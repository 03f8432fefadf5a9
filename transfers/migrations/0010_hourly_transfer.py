"""The schedule that transfers every table whose source changed.

It is made once: afterwards it is the administrators', who may change, disable or delete it.
"""

from django.db import migrations

NAME = "transfer every table whose source changed"


def make(apps, schema_editor):
    schedule = apps.get_model("django_celery_beat", "PeriodicTask").objects
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    if not schedule.filter(name=NAME).exists():
        hourly = interval.filter(every=3600, period="seconds").first()
        schedule.create(
            name=NAME,
            task="transfers.tasks.transfer_tables",
            interval=hourly or interval.create(every=3600, period="seconds"),
        )


class Migration(migrations.Migration):

    dependencies = [
        ("transfers", "0009_claimed_jobs_and_more_alerts"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
