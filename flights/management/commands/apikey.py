"""`manage.py apikey NAME`: create an API key, or revoke the keys of a name."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from flights.access import keys
from flights.models import SCOPES, ApiKey


class Command(BaseCommand):
    help = (
        "Create an API key and print it. It cannot be shown again. With --revoke, revoke all keys"
        " of this name instead; that takes effect within a second."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        rate = ApiKey._meta.get_field("rate").default
        parser.add_argument("name", help="who uses the key, or its purpose")
        parser.add_argument(
            "--rate", type=_rate, default=rate, help=f"requests per minute; default {rate:,}"
        )
        parser.add_argument(
            "--scopes",
            type=_scopes,
            default=list(SCOPES),
            help=f"comma-separated, of {', '.join(SCOPES)}; default all",
        )
        parser.add_argument(
            "--ends", type=_day, help="day on which the key expires, such as 2027-01-31"
        )
        parser.add_argument("--note", default="", help="note for administrators")
        parser.add_argument("--revoke", action="store_true", help="revoke the keys of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["revoke"]:
            self.revoke(options["name"])
            return
        values = {name: options[name] for name in ("name", "rate", "scopes", "note")}
        self.stdout.write(keys.make(ApiKey(ends_at=options["ends"], **values)))

    def revoke(self, name: str) -> None:
        valid = [key for key in ApiKey.objects.filter(name=name) if key.state == "valid"]
        if not valid:
            raise CommandError(f"There is no valid key named {name!r}.")
        for key in valid:
            keys.revoke(key)
        self.stdout.write(f"revoked: {', '.join(map(str, valid))}")


def _scopes(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in SCOPES]:
        raise ArgumentTypeError(f"{unknown[0]!r} is not a scope; use {', '.join(SCOPES)}")
    return names


def _rate(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise ArgumentTypeError(f"{text!r} is not a whole number above 0 and below 2^31")
    return int(text)


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2027-01-31") from None
