"""Forms to start transfers."""

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from flights import tables

LONGEST_REASON = 1000  # characters


class StartForm(forms.Form):
    """Which tables to transfer, and whether to include unchanged ones."""

    tables = forms.MultipleChoiceField(
        choices=[(name, name) for name in tables.NAMES],
        initial=tables.NAMES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    forced = forms.BooleanField(
        label="Run even if nothing has changed",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )


class PreviewForm(forms.Form):
    """Which tables to preview."""

    tables = StartForm.base_fields["tables"]


class OverrideForm(forms.Form):
    """The reason for which rows are published although checks failed."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        help_text="stored with the version, and shown to the users of the admin",
        widget=UnfoldAdminTextareaWidget,
    )
