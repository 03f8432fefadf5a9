"""Prevent privilege escalation: users manage only users, groups and permissions up to their own.

Otherwise a user who may manage people could get any permission by assigning a group, or by setting
the password or creating the token of a more powerful user.
"""

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet


def permissions(user: User) -> "QuerySet[Permission]":
    """The user's permissions, own and of groups, also while the account is inactive."""
    if user.is_superuser:
        return Permission.objects.all()
    own = Q(user=user) | Q(group__user=user)
    return Permission.objects.filter(pk__in=Permission.objects.filter(own).values("pk"))


def groups(user: User) -> "QuerySet[Group]":
    """The groups that the user may assign: those without a permission that the user lacks."""
    return Group.objects.exclude(permissions__in=_missing_permissions(user))


def users(user: User) -> "QuerySet[User]":
    """The users that the user may manage, including the user."""
    if user.is_superuser:
        return User.objects.all()
    missing = _missing_permissions(user)
    return User.objects.filter(is_superuser=False).exclude(
        Q(user_permissions__in=missing) | Q(groups__permissions__in=missing)
    )


def _missing_permissions(user: User) -> "QuerySet[Permission]":
    return Permission.objects.exclude(pk__in=permissions(user).values("pk"))
