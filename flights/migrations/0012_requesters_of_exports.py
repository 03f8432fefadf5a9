import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Call those who request an export requesters. The table keeps its name for older code."""

    dependencies = [("flights", "0011_citations")]

    operations = [
        migrations.AlterModelTable("asker", "flights_asker"),
        migrations.RenameModel("Asker", "Requester"),
        migrations.AlterField(
            "requester",
            "export",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="requesters",
                to="flights.export",
            ),
        ),
    ]
