"""Whom a user may manage: only those who may do nothing that he may not do himself.

Otherwise a user who manages people could give himself, or a friend, any permission: by a group, by
another's password, or by another's token.
"""

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet


def permissions(user: User) -> "QuerySet[Permission]":
    """What a user may do, also while the account is switched off."""
    if user.is_superuser:
        return Permission.objects.all()
    mine = Q(user=user) | Q(group__user=user)
    return Permission.objects.filter(pk__in=Permission.objects.filter(mine).values("pk"))


def groups(user: User) -> "QuerySet[Group]":
    """The groups that a user may give, as they hold nothing that he lacks."""
    return Group.objects.exclude(permissions__in=_lacking(user))


def users(user: User) -> "QuerySet[User]":
    """The users that a user may manage, himself among them."""
    if user.is_superuser:
        return User.objects.all()
    lacking = _lacking(user)
    return User.objects.filter(is_superuser=False).exclude(
        Q(user_permissions__in=lacking) | Q(groups__permissions__in=lacking)
    )


def _lacking(user: User) -> "QuerySet[Permission]":
    return Permission.objects.exclude(pk__in=permissions(user).values("pk"))
