"""Turn the verified claims of a provider into a user of AirSense and its groups."""

import hashlib
import logging
import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.utils import timezone

from airsense.models import Identity

log = logging.getLogger(__name__)

# Time in which an administrator can give access to a person who came from the provider.
STRANGERS_KEPT = timedelta(days=30)
NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")  # Django allows the others in the name of a user


def user_of(claims: dict[str, Any]) -> User:
    """Find or create the user of a person, and give the groups that the claims state.

    A person is identified by issuer and subject alone. So nobody becomes an existing user by having
    the same name or mail address; an administrator can add the identity to a user in the admin.
    """
    user = _existing(claims) or _new(claims)
    with transaction.atomic():
        if (email := _verified_email(claims)) and email != user.email:
            user.email = email
            user.save(update_fields=["email"])
        _update_groups(user, _groups(claims))
    return user


def _existing(claims: dict[str, Any]) -> User | None:
    key = {"issuer": claims["iss"], "subject": claims["sub"]}
    identity = Identity.objects.select_related("user").filter(**key).first()
    return identity.user if identity else None


def _new(claims: dict[str, Any]) -> User:
    """Create a user without a password and without permissions."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(_free_name(claims))
            Identity.objects.create(user=user, issuer=claims["iss"], subject=claims["sub"])
    except IntegrityError:  # another process did so a moment ago
        if existing := _existing(claims):
            return existing
        raise
    return user


def _free_name(claims: dict[str, Any]) -> str:
    """The name at the provider; with a unique suffix if a user has it already."""
    name = str(claims.get("preferred_username") or _verified_email(claims) or "person")
    name = NOT_IN_NAMES.sub("-", name)[:120]
    if not User.objects.filter(username__iexact=name).exists():
        return name
    return f"{name}-{hashlib.sha256(f'{claims["iss"]} {claims["sub"]}'.encode()).hexdigest()[:16]}"


def _verified_email(claims: dict[str, Any]) -> str:
    return str(claims.get("email", "")) if claims.get("email_verified") is True else ""


def _groups(claims: dict[str, Any]) -> set[str]:
    """The names of AirSense's groups that OIDC_GROUPS assigns to the claim's values."""
    values = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    values = {str(value) for value in (values if isinstance(values, list) else [values])}
    return {group for group, wanted in settings.OIDC_GROUPS.items() if wanted & values}


def _update_groups(user: User, names: set[str]) -> None:
    """Add and remove the groups that OIDC_GROUPS mentions; administrators own the others."""
    mentioned = Group.objects.filter(name__in=settings.OIDC_GROUPS)
    before = set(user.groups.filter(name__in=settings.OIDC_GROUPS).values_list("name", flat=True))
    if before == names:
        return
    user.groups.remove(*mentioned.filter(name__in=before - names))
    user.groups.add(*mentioned.filter(name__in=names - before))
    user.is_staff = user.is_superuser or user.groups.exists()
    user.save(update_fields=["is_staff"])
    log.info(
        "the claims of %s changed its groups from %s to %s", user, sorted(before), sorted(names)
    )


def forget_strangers() -> int:
    """Delete users of the provider who got no access in STRANGERS_KEPT; returns the number."""
    unused = User.objects.filter(
        identities__isnull=False,
        is_staff=False,
        is_superuser=False,
        last_login=None,
        date_joined__lt=timezone.now() - STRANGERS_KEPT,
    )
    return unused.delete()[1].get("auth.User", 0)
