"""`manage.py setup`: make the database what this code needs. Safe to run at any time."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from airsense import data_folder, permission_groups, schedules
from flights import reader_role
from flights.tables import TABLES
from transfers.load import sql_view

# Two deployments at once must not migrate at once. Any number will do, if only this code uses it.
ONE_AT_A_TIME = 7_247_001
ADMIN = "admin"


class Command(BaseCommand):
    help = (
        "Migrate the database; make the public's read-only role, the groups, the housekeeping"
        " schedules, the view of each table and, where there is no administrator yet, one. Safe"
        " to run again and beside running servers."
    )
    requires_system_checks = [Tags.models]

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"PostgreSQL does not answer: {error}".strip()) from None
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
            try:
                self.prepare()
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])

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
        made = self.administrator()
        who = f", made the user {ADMIN} (password in {made})" if made else ""
        self.stdout.write(f"database ready: {len(TABLES)} tables, readers use {role}{who}")

    def administrator(self) -> str | None:
        """Make the first administrator; returns the file that keeps the password."""
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return None
        users.create_superuser(ADMIN, password=data_folder.secret("admin_password"))
        return str(data_folder.folder() / "admin_password")
