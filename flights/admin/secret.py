"""The admin page that shows a new key or token, once: AirSense cannot show it again."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse


def show(
    page: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    title: str,
    header: str,
    secret: str,
    *,
    text: str,
    path: str,
) -> HttpResponse:
    """Show a secret with the template `text`, and an example request to `path` that sends it."""
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "title": title,
        "header": header,
        "secret": secret,
        "text": text,
        "example": request.build_absolute_uri(f"/{path}"),
        "back": reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"),
    }
    return render(request, "admin/key.html", context)
