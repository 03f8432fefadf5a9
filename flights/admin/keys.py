"""Admin pages of API keys: create, show once, change and revoke."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from flights.access import keys
from flights.models import SCOPES, ApiKey

from . import formats, secret


def _limit_without_key() -> str:
    return f"without a key an address has {settings.THROTTLE_PER_MINUTE:,}"


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        label="May be used for",
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()],
        initial=list(SCOPES),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "rate", "ends_at", "note"]
        labels = {
            "rate": "Requests per minute",
            "ends_at": "Expires, UTC",
        }
        help_texts = {
            "name": "the program or the people that use the key",
            "rate": lazy(_limit_without_key, str)(),
        }
        widgets = {"name": UnfoldAdminTextInputWidget}


LAST_USED, EXPIRES, CREATED, REVOKED = formats.columns(
    last_used_at="last used",
    ends_at="expires",
    made_at="created",
    revoked_at="revoked",
)


@admin.register(ApiKey)
class KeyAdmin(ModelAdmin):
    """Show a new key once, after it is created. Keys are revoked, never deleted."""

    form = KeyForm
    list_display = ["name", "starts_with", "state", "limit", LAST_USED, EXPIRES, CREATED]
    search_fields = ["name", "prefix", "note"]
    readonly_fields = ["starts_with", "state", LAST_USED, CREATED, REVOKED]
    actions = ["revoke"]
    list_before_template = "admin/key_text.html"
    change_form_before_template = "admin/key_text.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields: list[Any] = KeyForm.Meta.fields
        return [*self.readonly_fields, *fields] if obj else fields

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save()
        else:
            keys.make(obj)

    def response_add(self, request: HttpRequest, obj: ApiKey, *args: Any) -> HttpResponse:
        uses = ", ".join(SCOPES[scope] for scope in obj.scopes)
        text = f"It may be used for {uses}; {obj.rate:,} requests per minute."
        path = "api/flight_delay_data?limit=1"
        title, header = f"The key of {obj.name}", "X-API-Key:"
        return secret.show(self, request, title, header, obj.secret, text=text, path=path)

    @admin.action(
        description="Revoke selected keys (takes effect within a second)", permissions=["change"]
    )
    def revoke(self, request: HttpRequest, queryset: "models.QuerySet[ApiKey]") -> None:
        for key in queryset.filter(revoked_at=None):
            keys.revoke(key)
            self.log_change(request, key, "Revoked.")
        self.message_user(request, "The selected keys are revoked.")

    @display(description="begins with", ordering="prefix")
    def starts_with(self, key: ApiKey) -> str:
        return f"{key.prefix}..."

    @display(description="limit", ordering="rate")
    def limit(self, key: ApiKey) -> str:
        return f"{key.rate:,} requests/min"

    @display(description="state", label={"valid": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        return key.state
