"""Users of the built-in groups, and their tokens as programs send them."""

from django.contrib.auth.models import Group, User
from rest_framework.authtoken.models import Token


def member(group: str) -> User:
    """A user who is in this group only."""
    user, _ = User.objects.get_or_create(username=f"{group} of the tests", is_staff=True)
    user.groups.set(Group.objects.filter(name=group))
    return user


def authorization(user: User) -> str:
    """The header Authorization with the token of a user."""
    return f"Token {Token.objects.get_or_create(user=user)[0].key}"
