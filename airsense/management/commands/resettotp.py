"""`manage.py resettotp USER`: remove the second factor of somebody who lost it."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from airsense.sign_in import second_factor


class Command(BaseCommand):
    help = (
        "Remove the second factor and the recovery codes of a user who lost them. Afterwards the"
        " password alone signs in; with REQUIRE_TOTP, the user then sets up a new one."
    )
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the user's name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user named {options['user']!r}.")
        if not second_factor.reset(user):
            raise CommandError(f"{user} has no second factor.")
        self.stdout.write(f"removed the second factor of {user}")
