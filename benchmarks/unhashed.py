"""`manage.py` with transfers that are verified by all figures but the row hash: what it costs."""

import sys

import pyarrow as pa
from django.core.management import execute_from_command_line

from transfers import verify

figures = verify.Dialect.figures


def unhashed(dialect: verify.Dialect, columns: pa.Schema, names: list[str]) -> dict[str, str]:
    return figures(dialect, columns, names) | {"hash": "0"}


if __name__ == "__main__":
    verify.Dialect.figures = unhashed  # type: ignore[assignment, method-assign]
    execute_from_command_line(sys.argv)
