"""The logging configuration of every process: web server, worker, schedule, commands."""

from collections.abc import Iterable
from typing import Any

FORMATS = ("text", "json")


def config(
    form: str, repeats_per_minute: int, secrets: Iterable[str] = (), cloudwatch_group: str = ""
) -> dict[str, Any]:
    """Return the dictionary for `logging.config.dictConfig`. Lines go to stderr.

    `form` is one of FORMATS. With `cloudwatch_group` they also go to that group of CloudWatch Logs.
    """
    stderr = {"class": "logging.StreamHandler", "formatter": form, "filters": ["fields", "limits"]}
    handlers: dict[str, Any] = {"stderr": stderr}
    if cloudwatch_group:
        handlers["cloudwatch"] = {
            "()": "airsense.cloudwatch.Handler",
            "group": cloudwatch_group,
            "formatter": "json",
            "filters": ["fields", "limits"],
        }
    hidden = list(secrets)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "airsense.log_formats.Text", "secrets": hidden},
            "json": {"()": "airsense.log_formats.Json", "secrets": hidden},
        },
        "filters": {
            "fields": {"()": "airsense.log_formats.Fields"},
            "limits": {"()": "airsense.log_limits.Limits", "most": repeats_per_minute},
        },
        "handlers": handlers,
        # Anybody can cause client errors (4xx), so only the access log, whose rate is limited,
        # has lines about them.
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
        "root": {"handlers": list(handlers), "level": "INFO"},
    }
