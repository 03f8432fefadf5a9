from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('transfers', '0008_history'),
    ]

    operations = [
        migrations.AddField(
            model_name='warehousejob',
            name='attempt',
            field=models.PositiveSmallIntegerField(db_default=1, default=1, help_text='the one that runs or ran last'),
        ),
        migrations.AddField(
            model_name='warehousejob',
            name='claim',
            field=models.UUIDField(help_text='which process does it', null=True),
        ),
        migrations.AddField(
            model_name='warehousejob',
            name='heartbeat_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RemoveConstraint(
            model_name='alert',
            name='one_open_alert_of_a_kind',
        ),
        migrations.AddField(
            model_name='alert',
            name='about',
            field=models.CharField(choices=[('table', 'Table'), ('job', 'change of the warehouse'), ('schedule', 'Schedule'), ('export', 'Export')], db_default='table', default='table', max_length=8),
        ),
        # The column keeps its name: older code may run beside this one.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(model_name='alert', old_name='table', new_name='subject'),
                migrations.AlterField(
                    model_name='alert',
                    name='subject',
                    field=models.TextField(db_column='table', help_text='which table, job or schedule'),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None), ('kind__in', ['failed', 'stale'])), fields=('about', 'subject', 'kind'), name='one_open_alert_of_a_kind'),
        ),
    ]
