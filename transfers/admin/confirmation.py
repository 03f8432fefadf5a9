"""A page that asks for confirmation: the action, a form for its options, and one button."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from transfers.exceptions import TransferError


def confirm(
    page: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    title: str,
    act: Callable[[dict[str, Any]], str],
    *,
    text: str = "",
    facts: list[tuple[str, Any, Any]] | None = None,
    form: type[forms.Form] = forms.Form,
) -> HttpResponse:
    """Show the page. When it is submitted, call `act` with the form's values and show its message.

    `facts` are rows for a table: a name, the present value and the new value. If `act` raises
    TransferError, the page shows it above the form.
    """
    submitted = request.method == "POST"
    bound = form(request.POST, request.FILES) if submitted else form()
    if submitted and bound.is_valid():
        try:
            return done(page, request, act(bound.cleaned_data))
        except TransferError as error:
            bound.add_error(None, error.full_message)
    return show(page, request, title, bound, text=text, facts=facts or [])


def done(page: "admin.ModelAdmin[Any]", request: HttpRequest, message: str) -> HttpResponse:
    """Redirect to the list and show a message there."""
    messages.success(request, message)
    return HttpResponseRedirect(_list(page))


def show(
    page: "admin.ModelAdmin[Any]", request: HttpRequest, title: str, form: forms.Form, **more: Any
) -> HttpResponse:
    """Show a form; the status is 400 if it has errors."""
    context = {
        **page.admin_site.each_context(request),
        **{"opts": page.opts, "title": title, "form": form, "back": _list(page)},
        **more,
    }
    return render(request, "admin/confirmation.html", context, status=400 if form.errors else 200)


def _list(page: "admin.ModelAdmin[Any]") -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
