"""Users, groups and tokens. Nobody manages a user, or gives a permission, beyond his own powers."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import Token, TokenProxy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from airsense.permission_groups import GROUPS
from transfers.admin.confirmation import confirm

from . import privileges

for model in (User, Group, TokenProxy):
    admin.site.unregister(model)


@admin.register(User)
class People(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = ()  # Django's widget for it is too wide and stumbles screen readers
    list_display = ["username", "email", "in_groups", "is_active", "last_login"]

    @display(description="groups")
    def in_groups(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "-"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only a superuser makes superusers, or hands out what is in no group."""
        own = list(super().get_readonly_fields(request, obj))
        return own if request.user.is_superuser else [*own, "is_superuser", "user_permissions"]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = privileges.groups(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """By the filters that the page offers alone: others would tell a token bit by bit."""
        return lookup.partition("__")[0] in ("is_staff", "is_superuser", "is_active", "groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _manages(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _manages(request, obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What is deleted with a user, without the key of his token."""
        listed, *rest = super().get_deleted_objects(objs, request)
        keys = Token.objects.filter(user__in=objs).values_list("key", flat=True)
        return _without(listed, set(keys)), *rest


def _manages(request: HttpRequest, user: User | None) -> bool:
    assert isinstance(request.user, User)
    return user is None or privileges.users(request.user).filter(pk=user.pk).exists()


def _without(listed: Any, keys: set[str]) -> Any:
    """The nested list of a confirmation page, without some texts."""
    if isinstance(listed, list):
        return [_without(item, keys) for item in listed]
    return "Token" if any(key in str(listed) for key in keys) else listed


@admin.register(Group)
class Groups(GroupAdmin, ModelAdmin):
    """The ready-made groups stay as `setup` makes them; people make others for other purposes."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        kwargs["queryset"] = privileges.permissions(request.user).select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _gives(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _gives(request, obj) and super().has_delete_permission(request, obj)


def _gives(request: HttpRequest, group: Group | None) -> bool:
    assert isinstance(request.user, User)
    if group is None:
        return True
    return group.name not in GROUPS and privileges.groups(request.user).filter(pk=group.pk).exists()


@admin.register(TokenProxy)
class Tokens(TokenAdmin, ModelAdmin):
    """A token is shown once, on the page that answers its making; later it can be revoked."""

    list_display = ["user", "created"]
    list_display_links = None
    list_filter = ["created"]
    actions_detail = ["revoke"]

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return [*names, "revocation"] if self.has_revoke_permission(request) else names

    @display(description="revoke")
    def revocation(self, token: TokenProxy) -> str:
        url = reverse("admin:authtoken_tokenproxy_revoke", args=[token.user_id])
        return format_html('<a class="underline" href="{}">revoke</a>', url)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[TokenProxy]":
        tokens: QuerySet[TokenProxy] = super().get_queryset(request)
        assert isinstance(request.user, User)
        return tokens.filter(user__in=privileges.users(request.user)).select_related("user")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = privileges.users(request.user).filter(auth_token=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return lookup.partition("__")[0] == "created"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("authtoken.delete_tokenproxy")

    @action(description="Revoke", permissions=["revoke"], icon="block", url_path="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        token = get_object_or_404(self.get_queryset(request), user=object_id)

        def act(_: dict[str, Any]) -> str:
            _note(request, token, DELETION)
            Token.objects.filter(user=token.user).delete()
            return f"The token of {token.user} is revoked."

        text = f"Programs that use the token of {token.user} are refused from then on."
        return confirm(self, request, "Revoke", act, text=text)

    def log_addition(self, request: HttpRequest, obj: TokenProxy, message: Any) -> LogEntry:
        return _note(request, obj, ADDITION)

    def response_add(self, request: HttpRequest, obj: TokenProxy, *args: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"The token of {obj.user}",
            "secret": obj.key,
            "header": "Authorization: Token",
            "back": reverse("admin:authtoken_tokenproxy_changelist"),
        }
        return render(request, "admin/key.html", context)


def _note(request: HttpRequest, token: TokenProxy, flag: int) -> LogEntry:
    """An entry of the admin's log that names the user. Django's own names the key."""
    assert isinstance(request.user, User)
    return LogEntry.objects.create(
        user=request.user,
        content_type=ContentType.objects.get_for_model(token, for_concrete_model=False),
        object_id=str(token.user_id),
        object_repr=f"token of {token.user}"[:200],
        action_flag=flag,
    )
