"""Admin pages of API tokens: a user can have one, and its key is shown once."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import Token, TokenProxy
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from flights.admin import formats, objects, secret
from transfers.admin.confirmation import confirm

from . import privileges

admin.site.unregister(TokenProxy)


CREATED = formats.moments("created", "created")


@admin.register(TokenProxy)
class Tokens(TokenAdmin, ModelAdmin):
    """Tokens. A key is shown only once, after its creation; later the token can be revoked."""

    list_display = ["user", "rights", CREATED]
    list_before_template = "admin/token_text.html"
    change_form_before_template = "admin/token_text.html"
    list_display_links = None
    list_filter = ["created"]
    actions_detail = ["revoke"]

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return [*names, "revocation"] if self.has_revoke_permission(request) else names

    @display(description="may")
    def rights(self, token: TokenProxy) -> str:
        return _rights(token.user)

    @display(description="revoke")
    def revocation(self, token: TokenProxy) -> str:
        url = reverse("admin:authtoken_tokenproxy_revoke", args=[token.user_id])
        return format_html('<a class="underline" href="{}">revoke</a>', url)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[TokenProxy]":
        tokens: QuerySet[TokenProxy] = super().get_queryset(request)
        assert isinstance(request.user, User)
        return (
            tokens.filter(user__in=privileges.users(request.user))
            .select_related("user")
            .prefetch_related("user__groups")
        )

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
        token = objects.find_or_404(self.get_queryset(request), user=object_id)

        def act(_: dict[str, Any]) -> str:
            _log(request, token, DELETION)
            Token.objects.filter(user=token.user).delete()
            return f"Revoked the token of {token.user}."

        text = f"Programs that use the token of {token.user} will no longer have access."
        return confirm(self, request, "Revoke", act, text=text)

    def log_addition(self, request: HttpRequest, obj: TokenProxy, message: Any) -> LogEntry:
        return _log(request, obj, ADDITION)

    def response_add(self, request: HttpRequest, obj: TokenProxy, *args: Any) -> HttpResponse:
        text = f"A program that sends it has the permissions of {obj.user}: {_rights(obj.user)}."
        title, header = f"The token of {obj.user}", "Authorization: Token"
        return secret.show(self, request, title, header, obj.key, text=text, path="api/transfers/")


def _rights(user: User) -> str:
    """The permissions of a user, in short: "everything", or the names of the groups."""
    if not user.is_active:
        return "none, because the user is not active"
    if user.is_superuser:
        return "everything"
    groups = ", ".join(group.name for group in user.groups.all())
    return f"those of the groups {groups}" if groups else "only what is public"


def _log(request: HttpRequest, token: TokenProxy, flag: int) -> LogEntry:
    """Add an entry to the admin's log that names the user; Django's entry would show the key."""
    assert isinstance(request.user, User)
    return LogEntry.objects.create(
        user=request.user,
        content_type=ContentType.objects.get_for_model(token, for_concrete_model=False),
        object_id=str(token.user_id),
        object_repr=f"token of {token.user}"[:200],
        action_flag=flag,
    )
