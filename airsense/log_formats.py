"""The two forms of a log line: text for people, JSON for machines. Neither shows secrets."""

import logging
from collections.abc import Iterable
from typing import Any

from pythonjsonlogger.orjson import OrjsonFormatter

from flights import log_fields, tracing
from flights.log_secrets import Redaction

TEXT = "{asctime} {levelname} {request_id} {name}: {message}"
# The fields of a JSON line. Nothing else is written: libraries attach whole requests to records.
FIELDS = (
    *("time", "level", "logger", "message", "request_id", "trace_id"),
    *("user", "method", "route", "status", "duration", "cache"),
    *("table", "version", "transfer", "task", "process", "exc_info", "stack_info"),
)


class Fields(logging.Filter):
    """Add the fields of the current request or task to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        fields = {"request_id": "-", "trace_id": tracing.trace_id(), **log_fields.current()}
        for name, value in fields.items():
            record.__dict__.setdefault(name, value)
        return True


class Text(logging.Formatter):
    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__(TEXT, style="{")
        self._redact = Redaction(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class Json(OrjsonFormatter):
    """A JSON object on one line, with those of FIELDS that have a value. `time` is UTC."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        rename = {"levelname": "level", "name": "logger"}
        super().__init__(
            "{levelname}{name}{message}{process}", style="{", timestamp="time", rename_fields=rename
        )
        self._redact = Redaction(secrets)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: log_data[name] for name in FIELDS if log_data.get(name) not in (None, "", "-")
        }

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))
