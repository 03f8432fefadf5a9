"""`manage.py versions`: list the available versions of tables."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flights import tables
from flights.errors import BadQuery
from flights.models import PublishedTable, TableVersion


class Command(BaseCommand):
    help = (
        "List the available versions of tables; * marks the current one. `manage.py rollback`"
        " publishes an earlier one."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "table", nargs="*", default=tables.NAMES, help="table to list (default: all)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            models = tables.by_names(options["table"])
        except BadQuery as error:
            raise CommandError(str(error)) from None
        current = set(PublishedTable.objects.values_list("current", flat=True))
        for model in models:
            versions = TableVersion.objects.filter(
                table=model._meta.db_table, published_at__isnull=False
            )
            for version in versions:
                mark = "*" if version.pk in current else " "
                when = f"{version.published_at:%Y-%m-%d %H:%M} UTC"
                self.stdout.write(
                    f"{mark} {version}  {version.rows:,} rows  {when}"
                    f"  source {version.source_version}{_override(version)}"
                )
            if not versions:
                self.stdout.write(f"  {model._meta.db_table} has no version yet: transfer it first")


def _override(version: TableVersion) -> str:
    override = version.override
    text = "  published despite failed checks by"
    return f"{text} {override['by']}: {override['reason']}" if override else ""
