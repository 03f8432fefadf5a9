"""`manage.py status`: report whether each service is up."""

from argparse import ArgumentParser
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from airsense.status import PARTS, states


class Command(BaseCommand):
    help = "Report whether each part of the platform is up. Exits with code 1 if a part is down."
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "part", nargs="*", help=f"parts to check: {', '.join(PARTS)} (default: all)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if unknown := set(options["part"]) - PARTS.keys():
            raise CommandError(
                f"Unknown part: {', '.join(unknown)}. Choose from: {', '.join(PARTS)}."
            )
        parts = states(options["part"] or PARTS)
        for state in parts:
            word = self.style.SUCCESS("up  ") if state.up else self.style.ERROR("DOWN")
            self.stdout.write(f"{word} {state.part:11} {state.detail} {state.advice}".rstrip())
        if down := [state.part for state in parts if not state.up]:
            raise CommandError(f"Down: {', '.join(down)}")
