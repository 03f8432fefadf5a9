"""`manage.py document`: write the documents that follow from the code."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from flights.filters import lookups
from flights.mirror import MirroredTable, public
from flights.tables import TABLES
from transfers import columns

TABLES_MD = Path("docs/tables.md")


class Command(BaseCommand):
    help = "Write docs/tables.md from the models, or say that it is out of date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")

    def handle(self, *args: Any, **options: Any) -> None:
        path, text = settings.BASE_DIR / TABLES_MD, tables()
        if options["check"]:
            if not path.exists() or path.read_text() != text:
                raise CommandError(f"{TABLES_MD} is out of date. Run make snapshot.")
            return
        path.write_text(text)
        self.stdout.write(f"wrote {TABLES_MD}")


def tables() -> str:
    parts = [
        "# Tables\n\n`make snapshot` writes this page from flights/models.py.\n",
        *(_table(model) for model in TABLES),
    ]
    return "\n".join(parts)


def _table(model: type[MirroredTable]) -> str:
    lines = [
        f"## {model._meta.db_table}\n",
        f"{model.__doc__}\n",
        "| column | type | unit | meaning | operators |",
        "|---|---|---|---|---|",
    ]
    types = columns.types(columns.schema(model))
    for name, field in ((public(field), field) for field in model.columns()):
        operators = " ".join(lookups(field))
        empty = ", may be empty" if field.null else ""
        unit = model.mirror.units.get(field.name, "")
        kind = f"{types[name]}{empty}"
        lines.append(f"| `{name}` | {kind} | {unit} | {field.help_text} | {operators} |")
    return "\n".join(lines) + "\n"
