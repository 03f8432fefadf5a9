"""A page that asks before something is done: what, a form for the details, one button."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from transfers.exceptions import TransferError


def ask(
    page: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    title: str,
    act: Callable[[dict[str, Any]], str],
    *,
    text: str = "",
    facts: list[tuple[str, Any, Any]] | None = None,
    form: type[forms.Form] = forms.Form,
) -> HttpResponse:
    """Show the page; once it is sent, `act` on the form's values and say what that answered.

    `facts` are rows of a name, what is now and what will be. What `act` refuses (TransferError) is
    shown beside the form.
    """
    sent = request.method == "POST"
    filled = form(request.POST, request.FILES) if sent else form()
    list_ = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
    if sent and filled.is_valid():
        try:
            messages.success(request, act(filled.cleaned_data))
            return HttpResponseRedirect(list_)
        except TransferError as error:
            filled.add_error(None, error.full_message)
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": title,
        "text": text,
        "facts": facts or [],
        "form": filled,
        "back": list_,
    }
    return render(request, "admin/confirmation.html", context, status=400 if filled.errors else 200)
