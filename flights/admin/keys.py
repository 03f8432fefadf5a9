"""Admin pages of API keys: create, show once, change and revoke."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from flights.access import keys
from flights.models import SCOPES, ApiKey

from . import secret


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {meaning}") for scope, meaning in SCOPES.items()],
        initial=list(SCOPES),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "rate", "ends_at", "note"]
        widgets = {"name": UnfoldAdminTextInputWidget}


@admin.register(ApiKey)
class KeyAdmin(ModelAdmin):
    """Show a new key once, after it is created. Keys are revoked, never deleted."""

    form = KeyForm
    list_display = ["name", "starts_with", "rate", "state", "ends_at", "last_used_at", "made_at"]
    search_fields = ["name", "prefix", "note"]
    readonly_fields = ["starts_with", "state", "made_at", "revoked_at", "last_used_at"]
    actions = ["revoke"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = KeyForm.Meta.fields
        return [*fields, *self.readonly_fields] if obj else fields

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save()
        else:
            keys.make(obj)

    def response_add(self, request: HttpRequest, obj: ApiKey, *args: Any) -> HttpResponse:
        return secret.show(self, request, f"The key of {obj.name}", "X-API-Key:", obj.secret)

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

    @display(description="state", label={"valid": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        return key.state
