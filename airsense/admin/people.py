"""Admin pages of users and groups, restricted by airsense.admin.privileges."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.authtoken.models import Token
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from airsense.models import Identity
from airsense.permission_groups import GROUPS

from . import privileges

# django-otp's pages show the devices' secrets; airsense.sign_in.pages replaces them.
admin.site.unregister([User, Group, TOTPDevice, StaticDevice])


class Identities(TabularInline):
    """The identities at the sign-in provider that sign in as a user."""

    model = Identity
    extra = 0


@admin.register(User)
class People(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Users, limited to those whom the signed-in user may manage."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = ()  # plain lists: Django's two-column widget is wide and inaccessible
    list_display = ["username", "email", "in_groups", "second_factor", "is_active", "last_login"]

    @display(description="groups")
    def in_groups(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "-"

    @display(description="second factor", boolean=True)
    def second_factor(self, user: User) -> bool:
        return any(device.confirmed for device in user.totpdevice_set.all())  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        return super().get_queryset(request).prefetch_related("groups", "totpdevice_set")

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [Identities] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only superusers change superuser status and individual permissions."""
        own = list(super().get_readonly_fields(request, obj))
        return own if request.user.is_superuser else [*own, "is_superuser", "user_permissions"]

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = privileges.groups(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Allow only the page's own filters: with others, users could guess a token bit by bit."""
        return lookup.partition("__")[0] in ("is_staff", "is_superuser", "is_active", "groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_manage(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_manage(request, obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List the objects that are deleted with users, without showing the keys of tokens."""
        names, *rest = super().get_deleted_objects(objs, request)
        keys = Token.objects.filter(user__in=objs).values_list("key", flat=True)
        return _without_keys(names, set(keys)), *rest


def _may_manage(request: HttpRequest, user: User | None) -> bool:
    assert isinstance(request.user, User)
    return user is None or privileges.users(request.user).filter(pk=user.pk).exists()


def _without_keys(names: Any, keys: set[str]) -> Any:
    """Replace texts that contain a key in a nested list of names."""
    if isinstance(names, list):
        return [_without_keys(item, keys) for item in names]
    return "Token" if any(key in str(names) for key in keys) else names


@admin.register(Group)
class Groups(GroupAdmin, ModelAdmin):
    """Groups. The built-in groups of `manage.py setup` are read-only."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        kwargs["queryset"] = privileges.permissions(request.user).select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may_edit(request, obj) and super().has_delete_permission(request, obj)


def _may_edit(request: HttpRequest, group: Group | None) -> bool:
    assert isinstance(request.user, User)
    if group is None:
        return True
    return group.name not in GROUPS and privileges.groups(request.user).filter(pk=group.pk).exists()
