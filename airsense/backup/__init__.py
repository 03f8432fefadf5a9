"""Back up the platform into a folder, and restore it into an empty database and data folder.

A backup contains everything that cannot be made again:

    database/      PostgreSQL's database, as pg_dump writes it (directory format)
    warehouse.duckdb   the embedded warehouse, if it is used
    secrets/       the secrets that AirSense generated in its data folder, unless they are left out
    manifest.json  release, migrations, and the rows and hash of every table and version
    SHA256SUMS     the digest of each file above; `sha256sum --check SHA256SUMS` checks them

Logs, files of exports, downloaded months and the queue are not included. docs/runbook.md explains
the commands.
"""

DATABASE = "database"
WAREHOUSE = "warehouse.duckdb"
SECRETS = "secrets"


class BackupError(Exception):
    """A backup cannot be made or restored. The message is one line and says what to do."""
