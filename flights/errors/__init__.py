"""Errors that clients of the API can cause or have to handle, each with its HTTP status.

`responses` turns them into problem details (RFC 9457), `pages` into pages for browsers.
"""

from typing import Any

from rest_framework.exceptions import APIException


class ClientError(APIException):
    """An error whose message, and any further members, the client receives."""

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__({"error": message, **members})
        self.message = message

    def __str__(self) -> str:
        return self.message


class BadQuery(ClientError):
    """A query names something unknown, or a value does not fit its column; 400."""

    status_code = 400

    def __init__(self, message: str, allowed: list[str] | None = None) -> None:
        super().__init__(message, **({"allowed": allowed} if allowed else {}))


class UnknownTable(BadQuery):
    """No table has this name; 404."""

    status_code = 404


class Gone(BadQuery):
    """A version or a file existed and has been removed; 410."""

    status_code = 410


class Unavailable(ClientError):
    """A temporary failure: the same request can succeed after `retry_after` seconds; 503."""

    status_code = 503

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.wait = retry_after  # Django REST framework's name for the Retry-After header


class TooMany(Unavailable):
    """The client exceeded a limit on its requests; 429."""

    status_code = 429


class NeverTransferred(Unavailable):
    """The table has no published version yet; 503."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} has not been transferred from the warehouse yet.", 60)


class BadKey(ClientError):
    """An API key that is unknown, expired or revoked; 401."""

    status_code = 401
    # RFC 9110, section 15.5.2: a 401 names a way to authenticate.
    auth_header = 'ApiKey realm="AirSense", header="X-API-Key"'
