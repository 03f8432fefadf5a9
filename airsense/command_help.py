"""`manage.py --help`: our commands by group with a line each, then those of Django and packages."""

from collections.abc import Iterator

from django.core.management import ManagementUtility

COMMANDS = {
    "Data": {
        "ingest": "load flight records (CSV or Parquet) into the warehouse",
        "download": "fetch the DOT's monthly files; --publish also publishes them",
        "broker": "build the final tables in the warehouse",
        "transfer": "copy, verify and publish tables together",
        "cancel": "cancel queued and running transfers",
        "versions": "list the versions of tables",
        "rollback": "publish an earlier version of a table again",
        "inspectwarehouse": "print a model class for a table of the warehouse",
    },
    "Running the platform": {
        "run": "everything below, for one machine",
        "setup": "create or migrate the database, roles, groups and schedules",
        "prepare": "demo records, tables, database and first transfer",
        "serve": "the web server",
        "worker": "run transfers, warehouse jobs and exports from the queue",
        "beat": "start scheduled tasks",
        "status": "check warehouse, PostgreSQL, Valkey, worker and schedule",
        "backup": "back up database, embedded warehouse and secrets",
        "restore": "restore a backup into an empty server",
        "apikey": "make or revoke an API key",
        "resettotp": "remove the second factor of somebody who lost it",
    },
    "Development": {"document": "write the generated documents"},
}


class Utility(ManagementUtility):
    """Django's program with our help."""

    def main_help_text(self, commands_only: bool = False) -> str:
        """Return the help text; for shell completion (`commands_only`), only names."""
        django_text: str = super().main_help_text(commands_only)
        return django_text if commands_only else "\n".join([*self._own(), django_text])

    def _own(self) -> Iterator[str]:
        yield f"AirSense: {self.prog_name} COMMAND. Each command has its own --help."
        for title, commands in COMMANDS.items():
            yield f"\n{title}"
            yield from (f"  {name:18}{text}" for name, text in commands.items())
        yield "\nDjango's program, which runs them:"
