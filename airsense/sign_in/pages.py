"""The admin's login page, and the page of the second factor: show it, enrol, change it."""

from base64 import b32encode
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminTextInputWidget

from flights.errors.pages import page

from . import second_factor
from .second_factor import Step

NEXT = "next"  # parameter: the page that a person wanted before signing in
WRONG = "This code is wrong, or it was used before. Wait for the next one and try again."
TITLES = {Step.VERIFY: "Enter your code", Step.ENROL: "Set up your second factor"}


class CodeForm(forms.Form):
    """One code, of the authenticator or of the list of recovery codes."""

    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


@page  # turns TooMany into a 429
def login(request: HttpRequest) -> HttpResponse:
    """The admin's login page; leads to the second factor if the session still needs one."""
    if request.method == "GET" and second_factor.step(request):
        return HttpResponseRedirect(_with_next("second-factor", next_page(request)))
    link = _with_next("oidc-start", next_page(request)) if settings.OIDC_ISSUER else ""
    context = {"provider": settings.OIDC_NAME, "provider_link": link}
    return admin.site.login(request, extra_context=context)


@sensitive_post_parameters()
@never_cache
@page
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Show what the session needs: a code, a new device, or the settings of the present one."""
    person = second_factor.person(request)
    if not isinstance(person, User):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if "leave" in request.POST:
        logout(request)
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if second_factor.device(person) is None:
        return _enrol(request, person, form)
    if second_factor.step(request) is Step.VERIFY:
        return _verify(request, person, form)
    return _manage(request, person, form)


def next_page(request: HttpRequest) -> str:
    """The page that the person wanted, if it is one of this site; else the dashboard."""
    target = request.POST.get(NEXT) or request.GET.get(NEXT, "")
    hosts, secure = {request.get_host()}, request.is_secure()
    allowed = url_has_allowed_host_and_scheme(target, hosts, require_https=secure)
    return target if allowed else reverse("admin:index")


def _verify(request: HttpRequest, person: User, form: CodeForm) -> HttpResponse:
    if form.is_valid():
        if second_factor.verify(request, person, form.cleaned_data["code"]):
            return HttpResponseRedirect(next_page(request))
        form.add_error("code", WRONG)
    return _show(request, form, Step.VERIFY)


def _enrol(request: HttpRequest, person: User, form: CodeForm) -> HttpResponse:
    if form.is_valid():
        if codes := second_factor.confirm(request, person, form.cleaned_data["code"]):
            return _show_codes(request, person, codes, "set up the second factor")
        form.add_error("code", WRONG)
    new = second_factor.pending(person) if form.is_bound else second_factor.begin(person)
    url, secret = new.config_url, b32encode(new.bin_key).decode()
    qr_code = segno.make(url).svg_data_uri(scale=5, border=4, light="white")
    return _show(request, form, Step.ENROL, url=url, qr_code=qr_code, secret=secret)


def _manage(request: HttpRequest, person: User, form: CodeForm) -> HttpResponse:
    """Make new recovery codes, or remove the second factor; either needs a code."""
    required = second_factor.is_required(person)
    if form.is_valid():
        if not second_factor.verify(request, person, form.cleaned_data["code"]):
            form.add_error("code", WRONG)
        elif "remove" not in request.POST:
            codes = second_factor.renew_recovery_codes(person)
            return _show_codes(request, person, codes, "made new recovery codes")
        elif not required:
            second_factor.reset(person)
            _log(person, "removed the second factor")
            return redirect("admin:index")
    return _show(request, form, None, required=required)


def _show_codes(request: HttpRequest, person: User, codes: list[str], what: str) -> HttpResponse:
    _log(person, what)
    return _show(request, CodeForm(), None, codes=codes)


def _show(request: HttpRequest, form: CodeForm, step: Step | None, **more: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": TITLES[step] if step else "Your second factor",
        **{"form": form, "step": step and step.value, "next": next_page(request)},
        "is_signed_in": request.user.is_authenticated,
        **more,
    }
    return render(request, "admin/second_factor.html", context)


def _log(person: User, message: str) -> None:
    LogEntry.objects.create(
        user=person,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(person.pk),
        object_repr=str(person)[:200],
        action_flag=CHANGE,
        change_message=message,
    )


def _with_next(name: str, target: str) -> str:
    return f"{reverse(name)}?{urlencode({NEXT: target})}"
