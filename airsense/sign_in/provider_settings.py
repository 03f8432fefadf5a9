"""Read the settings of the sign-in provider (OIDC_...). Wrong ones raise StartError."""

from collections import defaultdict
from urllib.parse import urlsplit

from airsense.data_folder import StartError

GROUPS = ("viewer", "operator", "administrator")  # those of airsense.permission_groups
LOCAL = ("localhost", "127.0.0.1", "::1")


def issuer(url: str, client_id: str, client_secret: str) -> str:
    """Check the provider's address, which may be "". Return it; StartError if it is not valid.

    It must be https, because the provider's responses decide who signs in.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
    except ValueError:
        secure = False
    if not (secure and parts.hostname and not parts.query):
        raise StartError(f"OIDC_ISSUER={url!r} is not of the form https://host/path.")
    if not (client_id and client_secret):
        raise StartError("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
    return url


def groups(pairs: list[str]) -> dict[str, set[str]]:
    """Parse `operator=data-team`, ... into the values of the claim for each AirSense group."""
    values = defaultdict(set)
    for pair in pairs:
        group, _, value = pair.partition("=")
        if group not in GROUPS or not value:
            form = f"GROUP=VALUE; groups are {', '.join(GROUPS)}"
            raise StartError(f"OIDC_GROUPS: {pair!r} is not of the form {form}.")
        values[group].add(value)
    return dict(values)
