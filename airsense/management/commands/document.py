"""`manage.py document`: generate docs/tables.md, docs/schema.graphql and docs/openapi.yml."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from graphql import print_schema

from flights.graphql.schema import SCHEMA
from flights.mirror import MirroredTable, public
from flights.query import operators
from flights.tables import TABLES
from transfers.load import columns


class Command(BaseCommand):
    help = "Generate docs/tables.md, docs/schema.graphql and docs/openapi.yml from the code."
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail if a document is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        documents = {settings.BASE_DIR / name: text() for name, text in DOCUMENTS.items()}
        stale = [p for p, text in documents.items() if not p.exists() or p.read_text() != text]
        names = ", ".join(str(path.relative_to(settings.BASE_DIR)) for path in stale)
        if options["check"]:
            if stale:
                raise CommandError(f"Out of date: {names}. Run make snapshot.")
            return
        for path in stale:
            path.write_text(documents[path])
        self.stdout.write(f"wrote {names}" if stale else "all documents are up to date")


def graphql() -> str:
    return print_schema(SCHEMA) + "\n"


def openapi() -> str:
    generator: Any = SchemaGenerator
    renderer: Any = OpenApiYamlRenderer
    text: bytes = renderer().render(generator().get_schema(request=None, public=True))
    return text.decode()


def tables() -> str:
    parts = [
        "# Tables\n\n`make snapshot` writes this page from flights/models/mirrored/.\n",
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
        names = " ".join(operators.names(field))
        empty = ", may be empty" if field.null else ""
        unit = model.mirror.units.get(field.name, "")
        kind = f"{types[name]}{empty}"
        lines.append(f"| `{name}` | {kind} | {unit} | {field.help_text} | {names} |")
    return "\n".join(lines) + "\n"


DOCUMENTS = {
    "docs/tables.md": tables,
    "docs/schema.graphql": graphql,
    "docs/openapi.yml": openapi,
}
