"""Nobody in the admin gains or grants more permissions than they have."""

import itertools
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask
from rest_framework.authtoken.models import Token

from airsense import permission_groups
from tests.platform import Platform

_numbers = itertools.count()
MORE = "delete_transfer"  # a permission that no ready-made group has


def somebody(*names: str, is_superuser: bool = False, is_active: bool = True) -> User:
    name = f"hostile{next(_numbers)}"
    user = User.objects.create_user(
        name, password="first", is_staff=True, is_superuser=is_superuser, is_active=is_active
    )
    user.groups.set(Group.objects.filter(name__in=names))
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss(demo: Platform) -> User:
    return somebody(is_superuser=True)


@pytest.fixture
def attacker(demo: Platform) -> User:
    return somebody("administrator")


@pytest.fixture
def powerful(demo: Platform) -> Group:
    """A group with more permissions than administrators have."""
    group, _ = Group.objects.get_or_create(name="powerful")
    group.permissions.set(Permission.objects.filter(codename=MORE))
    return group


def form(user: User, **values: Any) -> dict[str, Any]:
    """The form data of the page of a user."""
    joined = f"{user.date_joined:%Y-%m-%d}", f"{user.date_joined:%H:%M:%S}"
    at = {"date_joined_0": joined[0], "date_joined_1": joined[1]}
    data = {"groups": [group.pk for group in user.groups.all()], "is_active": "on"}
    inline = {"identities-TOTAL_FORMS": 0, "identities-INITIAL_FORMS": 0}
    return {"username": user.username, "is_staff": "on", **data, **at, **inline, **values}


def is_stronger(user: User) -> bool:
    user = User.objects.get(pk=user.pk)
    allowed = user.get_all_permissions()
    return user.is_superuser or not allowed <= somebody("administrator").get_all_permissions()


def test_an_administrator_cannot_give_himself_or_a_friend_more_permissions(
    attacker: User, powerful: Group
) -> None:
    more = Permission.objects.get(codename=MORE)
    for target in (attacker, somebody()):
        for values in (
            {"is_superuser": "on"},
            {"user_permissions": [more.pk]},
            {"groups": [*attacker.groups.values_list("pk", flat=True), powerful.pk]},
        ):
            browser(attacker).post(f"/admin/auth/user/{target.pk}/change/", form(target, **values))
            assert not is_stronger(target), values


@pytest.mark.parametrize("path", ["change/", "password/", "delete/"])
@pytest.mark.parametrize("kind", ["superuser", "in a group", "by permission", "switched off"])
def test_a_stronger_user_is_not_taken_over(
    attacker: User, powerful: Group, path: str, kind: str
) -> None:
    target = somebody(is_superuser=kind == "superuser", is_active=kind != "switched off")
    if kind == "by permission":
        target.user_permissions.set(powerful.permissions.all())
    elif kind != "superuser":
        target.groups.add(powerful)
    sent = form(target, password1="a new one 12", password2="a new one 12", post="yes")
    response = browser(attacker).post(f"/admin/auth/user/{target.pk}/{path}", sent)
    assert response.status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [target.pk], "post": "yes"}
    browser(attacker).post("/admin/auth/user/", chosen)
    assert User.objects.get(pk=target.pk).check_password("first")


def test_no_page_of_an_administrators_shows_a_hash_or_key_of_the_superuser(
    attacker: User, boss: User
) -> None:
    token = Token.objects.create(user=boss)
    client, path = browser(attacker), f"/admin/authtoken/tokenproxy/{boss.pk}"
    for page in ("", "?q=hostile", *(f"{boss.pk}/{p}/" for p in ("change", "history", "revoke"))):
        shown = client.get(f"/admin/authtoken/tokenproxy/{page}").content.decode()
        assert token.key not in shown, page
        assert token.key[:8] not in shown, page
    revoke = reverse("admin:authtoken_tokenproxy_revoke", args=[boss.pk])
    assert client.post(revoke).status_code == 404
    assert client.post(f"{path}/delete/", {"post": "yes"}).status_code in (403, 404)
    page = client.get(f"/admin/auth/user/{boss.pk}/change/").content.decode()
    assert boss.password not in page
    assert Token.objects.get(user=boss).key == token.key


def test_a_token_is_not_guessed_letter_by_letter_through_a_filter(
    attacker: User, boss: User
) -> None:
    token = Token.objects.create(user=boss)
    client = browser(attacker)
    for query in (
        f"/admin/auth/user/?auth_token__key__startswith={token.key[0]}",
        f"/admin/auth/user/?auth_token__startswith={token.key[0]}",
        f"/admin/auth/user/?password__startswith={boss.password[:20]}",
        f"/admin/authtoken/tokenproxy/?key__startswith={token.key[0]}",
        f"/admin/authtoken/tokenproxy/?user__password__startswith={boss.password[:20]}",
    ):
        assert client.get(query).status_code == 400, query


def test_a_token_is_made_for_oneself_or_a_weaker_user_alone_and_shown_once(
    attacker: User, boss: User, powerful: Group
) -> None:
    client, stronger, weaker = browser(attacker), somebody(), somebody("viewer")
    stronger.groups.add(powerful)
    for target in (boss, stronger):
        client.post("/admin/authtoken/tokenproxy/add/", {"user": target.pk})
        assert not Token.objects.filter(user=target).exists()
    page = client.post("/admin/authtoken/tokenproxy/add/", {"user": weaker.pk}).content.decode()
    key = Token.objects.get(user=weaker).key
    assert key in page
    for later in ("authtoken/tokenproxy/", f"auth/user/{weaker.pk}/delete/", ""):
        assert key not in client.get(f"/admin/{later}").content.decode(), later
    assert not LogEntry.objects.filter(object_repr__contains=key).exists()
    chosen = {"action": "delete_selected", "_selected_action": [weaker.pk]}
    assert key not in client.post("/admin/auth/user/", chosen).content.decode()
    client.post(f"/admin/authtoken/tokenproxy/{weaker.pk}/revoke/")
    assert not Token.objects.filter(user=weaker).exists()


def test_a_group_gets_no_permission_that_its_editor_lacks(attacker: User, powerful: Group) -> None:
    client, more = browser(attacker), Permission.objects.get(codename=MORE)
    page = client.get("/admin/auth/group/add/").content.decode()
    assert f'value="{more.pk}"' not in page
    sent = {"name": "sneaky", "permissions": [more.pk]}
    client.post("/admin/auth/group/add/", sent)
    assert not Group.objects.filter(name="sneaky").exists()
    own = Permission.objects.get(codename="start_transfer")
    client.post("/admin/auth/group/add/", {"name": "starters", "permissions": [own.pk]})
    starters = Group.objects.get(name="starters")
    path = f"/admin/auth/group/{starters.pk}/change/"
    client.post(path, {"name": "starters", "permissions": [own.pk, more.pk]})
    assert list(starters.permissions.all()) == [own]
    assert client.post(f"/admin/auth/group/{powerful.pk}/change/", sent).status_code == 403
    starters.delete()


@pytest.mark.parametrize("name", permission_groups.GROUPS)
def test_a_ready_made_group_is_changed_by_nobody(attacker: User, boss: User, name: str) -> None:
    group = Group.objects.get(name=name)
    before = set(group.permissions.values_list("pk", flat=True))
    for user in (attacker, boss):
        for path in ("change", "delete"):
            sent = {"name": "other", "permissions": [], "post": "yes"}
            response = browser(user).post(f"/admin/auth/group/{group.pk}/{path}/", sent)
            assert response.status_code == 403
    group.refresh_from_db()
    assert (group.name, set(group.permissions.values_list("pk", flat=True))) == (name, before)


def test_a_user_who_may_only_view_runs_no_action_of_any_list(demo: Platform) -> None:
    """Django offers an action that states no permission to everybody who sees the list."""
    client = browser(somebody("viewer"))
    for path in (
        "django_celery_beat/periodictask",
        "flights/export",
        "flights/tableversion",
        "transfers/transfer",
        "transfers/warehousejob",
        "transfers/alert",
    ):
        page = client.get(f"/admin/{path}/").content.decode()
        assert 'name="action"' not in page, path
    row = PeriodicTask.objects.earliest("pk")
    for action in ("disable_tasks", "toggle_tasks", "run_tasks", "disable", "run"):
        sent = {"action": action, "_selected_action": [row.pk]}
        client.post("/admin/django_celery_beat/periodictask/", sent)
    row.refresh_from_db()
    assert row.enabled


def test_the_superuser_may_still_do_everything(boss: User, powerful: Group) -> None:
    client, friend = browser(boss), somebody()
    sent = form(friend, is_superuser="on", groups=[powerful.pk])
    client.post(f"/admin/auth/user/{friend.pk}/change/", sent)
    friend = User.objects.get(pk=friend.pk)
    assert friend.is_superuser
    assert list(friend.groups.all()) == [powerful]
    client.post("/admin/authtoken/tokenproxy/add/", {"user": friend.pk})
    assert Token.objects.filter(user=friend).exists()
