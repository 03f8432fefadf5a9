#!/usr/bin/env python
"""Run a management command, with the embedded PostgreSQL and Valkey if it needs them."""

import gc
import os
import sys
from contextlib import nullcontext
from functools import partial

from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from airsense import data_folder, embedded
from airsense.command_help import Utility

# Commands that use neither PostgreSQL nor Valkey.
SERVERLESS = {"--version", "check", "collectstatic", "diffsettings", "help", "version"}


def main() -> None:
    """Run the command. A StartError prints one line and exits with code 1."""
    # Garbage collection at every 700 objects, Python's default, makes a start a sixth longer.
    gc.set_threshold(20_000)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
    # Only `run` waits for servers that cannot start now; other commands fail.
    write = partial(print, flush=True) if sys.argv[1:2] == ["run"] else None
    servers = embedded.lease(write) if needs_servers(sys.argv[1:]) else nullcontext()
    try:
        with servers:
            execute()
    except data_folder.StartError as error:
        sys.exit(f"airsense: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # 128 + SIGINT, as shells report it


def execute() -> None:
    """Run the command. If migrations are missing, print one line instead of a traceback."""
    try:
        Utility(sys.argv).execute()
    except ProgrammingError:
        migrations = MigrationExecutor(connection)
        if not migrations.migration_plan(migrations.loader.graph.leaf_nodes()):
            raise
        sys.exit("airsense: the database lacks migrations of this code: run manage.py setup")


def needs_servers(arguments: list[str]) -> bool:
    """Whether a command may use PostgreSQL or Valkey; `check` does with --database."""
    if not arguments or {"-h", "--help"} & set(arguments):
        return False
    return arguments[0] not in SERVERLESS or any(a.startswith("--database") for a in arguments)


if __name__ == "__main__":
    main()
