"""What search needs of PostgreSQL: likeness of words, and letters without their accents."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("flights", "0001_initial")]

    operations = [TrigramExtension(), UnaccentExtension()]
