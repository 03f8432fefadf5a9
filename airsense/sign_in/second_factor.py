"""The second factor of a session: a time-based code (TOTP) or a recovery code.

A session that has yet to show its second factor is anonymous everywhere but on the page that asks
for it (airsense.sign_in.pages), so no other code can forget to check. Tokens are no sessions and
need no second factor.
"""

from enum import Enum
from functools import partial

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import middleware
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from airsense import login_throttle

PROOF = "second_factor"  # in the session: the device that was verified, or PROVIDER
PROVIDER = "provider"  # the sign-in provider states that it verified several factors
RECOVERY_CODES = 10


class Step(Enum):
    """What a signed-in person has to do before the session stops being anonymous."""

    VERIFY = "verify"
    ENROL = "enrol"


class Middleware(middleware.AuthenticationMiddleware):
    """Django's middleware, with an anonymous `request.user` until the second factor is verified."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(partial(user, request))  # type: ignore[assignment]
        request.auser = partial(sync_to_async(user), request)


def user(request: HttpRequest) -> User | AnonymousUser:
    """The user as whom a request acts; anonymous while a step remains."""
    return AnonymousUser() if step(request) else person(request)


def person(request: HttpRequest) -> User | AnonymousUser:
    """The user who signed in, also while a step remains."""
    return middleware.get_user(request)


def step(request: HttpRequest) -> Step | None:
    """The step that remains; None if there is none, or if nobody signed in."""
    signed_in, proof = person(request), request.session.get(PROOF)
    if not isinstance(signed_in, User) or proof == PROVIDER:
        return None
    if enrolled := device(signed_in):
        return None if proof == enrolled.persistent_id else Step.VERIFY
    return Step.ENROL if is_required(signed_in) else None


def is_required(user: User) -> bool:
    """Whether REQUIRE_TOTP demands a second factor: of everybody who may change something."""
    permissions = user.get_all_permissions() if settings.REQUIRE_TOTP else set()
    return any(".view_" not in permission for permission in permissions)


def device(user: User) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def verify(request: HttpRequest, user: User, code: str) -> bool:
    """Check a code. If it is correct, mark the session as verified. A code works only once.

    Raises TooMany after several wrong codes.
    """
    code = "".join(code.split()).lower()
    is_time_based = code.isdigit() and len(code) == 6
    kind = TOTPDevice if is_time_based else StaticDevice
    own, enrolled = kind.objects.filter(user=user, confirmed=True).first(), device(user)
    if not (enrolled and _check(user, own, code)):
        return False
    _prove(request, enrolled)
    return True


def begin(user: User) -> TOTPDevice:
    """Create a device with a new secret. It is not in use until `confirm` gets its first code."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        return TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)


def pending(user: User) -> TOTPDevice:
    """The device that `begin` made last."""
    return TOTPDevice.objects.filter(user=user, confirmed=False).last() or begin(user)


def confirm(request: HttpRequest, user: User, code: str) -> list[str]:
    """Enrol the pending device by its first code; return recovery codes, or [] for a wrong code.

    Raises TooMany after several wrong codes.
    """
    new = pending(user)
    if device(user) or not _check(user, new, "".join(code.split())):
        return []
    with transaction.atomic():
        TOTPDevice.objects.filter(pk=new.pk).update(confirmed=True)
        _prove(request, new)
        return renew_recovery_codes(user)


def renew_recovery_codes(user: User) -> list[str]:
    """Replace the person's recovery codes; returns the new ones."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        own = StaticDevice.objects.create(user=user, name="recovery codes")
        codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
        StaticToken.objects.bulk_create(StaticToken(device=own, token=code) for code in codes)
    return codes


def reset(user: User) -> bool:
    """Remove the person's second factor and recovery codes; returns whether there was one."""
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        return bool(TOTPDevice.objects.filter(user=user).delete()[0])


def _check(user: User, own: TOTPDevice | StaticDevice | None, code: str) -> bool:
    """Check a code. It is counted first, so that parallel attempts cannot exceed the limit."""
    caller = login_throttle.charge_code(user)
    if not (own and verify_token(user, own.persistent_id, code)):
        return False
    login_throttle.give_back(caller)
    return True


def _prove(request: HttpRequest, own: TOTPDevice) -> None:
    request.session.cycle_key()
    request.session[PROOF] = own.persistent_id
