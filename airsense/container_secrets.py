"""Write the secrets of containers into files: `python -m airsense.container_secrets FOLDER`.

A service of docker-compose.yml runs this before the others, which read the files (NAME_FILE). A
secret of the environment wins; of the others some are made once, and some stay empty.
"""

import os
import sys
import tempfile
from pathlib import Path

from . import data_folder

MADE = ("SECRET_KEY", "DATABASE_PASSWORD")  # random where nobody sets them
# Other services issue these; an empty file means that there is none.
ISSUED = (
    "READER_URL",
    "DATABRICKS_TOKEN",
    "DATABRICKS_CLIENT_SECRET",
    "EMAIL_URL",
    "ALERT_WEBHOOK_URL",
    "ALERT_WEBHOOK_SECRET",
)


def write(folder: Path) -> None:
    for name in MADE + ISSUED:
        value = os.environ.get(name, "")
        if value or name in ISSUED:
            _replace(folder / name, value)
        else:
            data_folder.secret(name, folder)


def _replace(file: Path, text: str) -> None:
    """Whole at every moment, and for its owner alone (0600)."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    os.replace(temporary, file)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
