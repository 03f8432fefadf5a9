"""Which transfer made a version, and when that was last found equal to its source."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('flights', '0004_export'),
    ]

    operations = [
        migrations.AddField(
            model_name='tableversion',
            name='confirmed_at',
            field=models.DateTimeField(help_text='when it was last found equal to its source', null=True),
        ),
        # Versions that are there already were found equal when they were loaded.
        migrations.RunSQL(
            "UPDATE flights_tableversion SET confirmed_at = loaded_at", migrations.RunSQL.noop
        ),
        migrations.AddField(
            model_name='tableversion',
            name='made_by',
            field=models.PositiveBigIntegerField(help_text='number of its transfer', null=True),
        ),
    ]
