"""`manage.py setup`: bring the database to the state that this code needs."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from airsense import data_folder, new_database, permission_groups, schedules
from airsense.backup import BackupError, marker
from flights import reader_role
from flights.tables import TABLES
from transfers.load import sql_view

# Key of the advisory lock that keeps two deployments from migrating at the same time. An arbitrary
# number that nothing else uses.
SETUP_LOCK = 7_247_001
ADMIN = "admin"


class Command(BaseCommand):
    help = (
        "Create or migrate the database, and create the read-only role for public queries, the user"
        " groups, the housekeeping schedules, a SQL view of each table and the first administrator."
        " Safe to repeat, also while servers are running."
    )
    requires_system_checks = [Tags.models]

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            marker.refuse_new_platform()
            new_database.create_if_missing()
        except BackupError as error:
            raise CommandError(str(error)) from None
        except OperationalError as error:
            raise CommandError(f"PostgreSQL does not answer: {error}".strip()) from None
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [SETUP_LOCK])
            try:
                self.prepare()
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [SETUP_LOCK])

    def prepare(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        try:
            role = reader_role.prepare()
        except reader_role.ReaderRoleMissing as error:
            raise CommandError(str(error)) from None
        permission_groups.prepare()
        schedules.prepare()
        for model in TABLES:
            sql_view.prepare(model, role)
        place = self.create_administrator()
        created = f", created user {ADMIN} (password in {place})" if place else ""
        self.stdout.write(f"database ready: {len(TABLES)} tables, reader role {role}{created}")

    def create_administrator(self) -> str | None:
        """Create the first superuser. Returns where its password is, None if one exists."""
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return None
        password = settings.ADMIN_PASSWORD or data_folder.secret("admin_password")
        users.create_superuser(ADMIN, password=password)
        file = str(data_folder.folder() / "admin_password")
        return "ADMIN_PASSWORD" if settings.ADMIN_PASSWORD else file
