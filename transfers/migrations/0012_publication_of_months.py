"""Jobs that publish months, and their schedule.

The schedule is made once, switched off: it downloads hundreds of megabytes, so an administrator
decides when to switch it on.
"""

from django.db import migrations, models

NAME = "publish the months that the DOT has released"


def make(apps, schema_editor):
    schedule = apps.get_model("django_celery_beat", "PeriodicTask").objects
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    if not schedule.filter(name=NAME).exists():
        daily = interval.filter(every=86_400, period="seconds").first()
        schedule.create(
            name=NAME,
            task="transfers.tasks.publish_months",
            interval=daily or interval.create(every=86_400, period="seconds"),
            enabled=False,
        )


class Migration(migrations.Migration):

    dependencies = [
        ('transfers', '0011_downloaded_months'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
    ]

    operations = [
        migrations.AddField(
            model_name='downloadedmonth',
            name='built_at',
            field=models.DateTimeField(help_text="when the warehouse's tables were built with it", null=True),
        ),
        migrations.AddField(
            model_name='downloadedmonth',
            name='published_in',
            field=models.TextField(blank=True, help_text='the first version of the flights that contains it'),
        ),
        migrations.AddField(
            model_name='warehousejob',
            name='mapping',
            field=models.TextField(blank=True, db_default='', help_text='the mapping file that says what its columns mean'),
        ),
        migrations.AddField(
            model_name='warehousejob',
            name='arguments',
            field=models.JSONField(db_default=[], default=list, help_text='months to publish, or the folder to ingest'),
        ),
        migrations.AddField(
            model_name='warehousejob',
            name='steps',
            field=models.JSONField(db_default=[], default=list, help_text='when each step began and ended, and what it did'),
        ),
        migrations.AlterField(
            model_name='warehousejob',
            name='kind',
            field=models.CharField(choices=[('append', "add a file's records"), ('months', "put a file's records in the place of those of the same months"), ('replace', "put a file's records in the place of all others"), ('build', 'build the final tables'), ('publish', 'download and publish months')], max_length=7),
        ),
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
