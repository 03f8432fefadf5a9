"""Write the containers' secrets into files: `python -m airsense.container_secrets FOLDER`.

The service `secrets` of docker-compose.yml runs this first; the other services read the files
through NAME_FILE. A secret set in the environment replaces its file. Otherwise a GENERATED secret
is created once, and the file of an EXTERNAL secret is empty.
"""

import os
import sys
import tempfile
from pathlib import Path

from . import data_folder

GENERATED = ("SECRET_KEY", "DATABASE_PASSWORD", "METRICS_TOKEN")
# People or other services issue these. An empty file means that the secret is not set.
EXTERNAL = (
    "ADMIN_PASSWORD",
    "SECRET_KEY_FALLBACKS",
    "READER_URL",
    "SPARK_TOKEN",
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_SECRET",
    "OIDC_CLIENT_SECRET",
    "EMAIL_URL",
    "ALERT_WEBHOOK_URL",
    "ALERT_WEBHOOK_SECRET",
    "ASK_MODEL_KEY",
    "OTEL_EXPORTER_OTLP_HEADERS",
)


def write(folder: Path) -> None:
    """Write a file for each secret, named like its variable and readable by its owner only."""
    for name in GENERATED + EXTERNAL:
        value = os.environ.get(name, "")
        if value or name in EXTERNAL:
            _replace(folder / name, value)
        else:
            data_folder.secret(name, folder)


def _replace(file: Path, text: str) -> None:
    """Replace a file atomically. mkstemp creates it with mode 0600."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    os.replace(temporary, file)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
