"""The demo data, published once for all test processes of a run, because it takes half a minute."""

import os
import shutil
from urllib.parse import urlsplit

from django.db import connections

from airsense import data_folder
from tests import reader_grants, servers
from tests.platform import Platform


def publish(own: Platform) -> None:
    """Give the platform of this process, whose database is empty, all tables of the demo data."""
    url = os.environ["DATABASE_URL"]
    database = urlsplit(url).path.strip("/")
    connections.close_all()  # PostgreSQL renames and drops only databases without connections
    with servers.made_once("demo") as (original, exists):
        if exists:
            servers.drop(database)
        else:
            _publish(own)
            own.warehouse.rename(data_folder.folder() / original)
            servers.rename(database, original)
        servers.copy_database(original, database)
    shutil.copytree(data_folder.folder() / original, own.warehouse)
    reader_grants.copy(original, url)


def _publish(own: Platform) -> None:
    for command in (["setup"], ["ingest", "--demo"], ["broker"], ["transfer", "--all"]):
        own.manage(*command)
