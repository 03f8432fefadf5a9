"""Show the results of quality checks, with the first rows that break each of them."""

from typing import Any

from django.utils.html import format_html, format_html_join

from flights.models import TableVersion
from transfers.models import Transfer

CELL = '<td class="pr-4 align-top">{}</td>'
HEAD = '<th scope="col" class="pr-4 font-semibold">{}</th>'
ROWS = (
    '<div class="mb-4 overflow-x-auto" tabindex="0" role="region" aria-label="Rows that break it">'
    '<table class="text-left"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
)


def results(of: Transfer | TableVersion) -> str:
    """Return a list of the checks, each with its result and, if it failed, the first rows."""
    return format_html_join("", "<div>{}{}</div>", map(_result, of.checks or [])) or "-"


def override(of: Transfer | TableVersion) -> str:
    """Return who publishes despite failed checks, when and why."""
    if not of.override:
        return "-"
    return f"{of.override['by']}, {of.override['at']}: {of.override['reason']}"


def failures(transfer: Transfer) -> str:
    """Return the failed checks that block the publication, as one text."""
    return "; ".join(
        f"{result['check']}: {result['finding']}"
        for result in transfer.checks or []
        if result["status"] == "failed" and result["severity"] == "block"
    )


def _result(result: dict[str, Any]) -> tuple[str, str]:
    status = result["status"] + f" ({result['severity']})" * (result["status"] == "failed")
    line = format_html("<p>{}: <strong>{}</strong></p>", result["check"], status)
    finding = format_html("<p>{}</p>", result["finding"]) if result["finding"] else ""
    return line, format_html("{}{}", finding, _rows(result))


def _rows(result: dict[str, Any]) -> str:
    if not result["examples"]:
        return ""
    head = format_html_join("", HEAD, ((name,) for name in result["columns"]))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(row),) for row in result["examples"]))
    return format_html(ROWS, head, body)


def _cells(row: list[Any]) -> str:
    return format_html_join("", CELL, (("null" if value is None else value,) for value in row))
