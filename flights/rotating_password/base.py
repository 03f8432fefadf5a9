"""Django's PostgreSQL backend, which tries several passwords until one is right.

The reader role's password is derived from SECRET_KEY. While keys are being replaced, web processes
with either key must be able to connect, before and after `manage.py setup` changes the password.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Connect with PASSWORD, else with the others in PASSWORDS of the database settings."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        others = self.settings_dict["PASSWORDS"]
        *first, last = dict.fromkeys([conn_params.get("password"), *others])
        for password in first:
            try:
                return self._connect(conn_params, password)
            except psycopg.OperationalError as error:
                # If the server is unreachable, another password does not help.
                if not (error.pgconn and error.pgconn.used_password):
                    raise
        return self._connect(conn_params, last)

    def _connect(self, params: dict[str, Any], password: str | None) -> Any:
        connection = super().get_new_connection({**params, "password": password})
        self.settings_dict["PASSWORD"] = password  # the next connection tries this password first
        return connection
