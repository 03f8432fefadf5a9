#!/usr/bin/env python
"""Every command of the platform. The embedded servers run while a command that needs them does."""

import os
import sys
from contextlib import nullcontext
from functools import partial

from django.core.management import execute_from_command_line
from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from airsense import data_folder, embedded

# Commands that ask neither PostgreSQL nor Valkey; all others do, or may.
SERVERLESS = {"--version", "check", "collectstatic", "diffsettings", "help", "version"}


def main() -> None:
    """Run the command. What keeps AirSense from starting ends in one line and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
    # `run` alone waits for servers that cannot start now.
    say = partial(print, flush=True) if sys.argv[1:2] == ["run"] else None
    servers = embedded.lease(say) if needs_servers(sys.argv[1:]) else nullcontext()
    try:
        with servers:
            execute()
    except data_folder.StartError as error:
        sys.exit(f"airsense: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says of a command that Ctrl-C ended


def execute() -> None:
    """Run the command; a database that was never set up, or for older code, is said in one line."""
    try:
        execute_from_command_line(sys.argv)
    except ProgrammingError:
        migrations = MigrationExecutor(connection)
        if not migrations.migration_plan(migrations.loader.graph.leaf_nodes()):
            raise
        sys.exit("airsense: the database is not set up for this code: run manage.py setup")


def needs_servers(arguments: list[str]) -> bool:
    """Whether a command may ask a server; `check --database` does, a request for help never."""
    if not arguments or {"-h", "--help"} & set(arguments):
        return False
    return arguments[0] not in SERVERLESS or any(a.startswith("--database") for a in arguments)


if __name__ == "__main__":
    main()
