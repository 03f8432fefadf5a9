"""All URLs of the platform."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from flights.web.renderers import JSON
from transfers.pages import connectors

from . import health, status_page, warehouse_check
from .sign_in import pages
from .status_page import Page

admin.autodiscover()  # here, so that commands that do not serve start faster

urlpatterns = [
    path("", include("flights.urls")),
    path("", include("transfers.urls")),
    path("admin/login/", pages.login),
    path("admin/second-factor/", pages.second_factor_page, name="second-factor"),
    path("admin/", admin.site.urls),
    path("healthz", health.live),
    path("readyz", health.ready),
    path("status", status_page.Status.as_view(renderer_classes=[Page, JSON], schema=None)),
    path("api/status", status_page.Status.as_view(renderer_classes=[JSON, Page])),
    path("connectors", connectors.view(warehouse_check.lights)),
    path("connector", health.connection("worker")),
    path("dbstatus", health.connection("warehouse", "Databricks")),
    path("rdsstatus", health.connection("postgresql", "RDS")),
]
if settings.OIDC_ISSUER:  # only then load Authlib: 0.3 s of CPU
    from .sign_in import provider_pages

    urlpatterns[:0] = [
        path("admin/oidc/", provider_pages.start, name="oidc-start"),
        path("admin/oidc/callback/", provider_pages.callback, name="oidc-callback"),
    ]
handler400 = "flights.errors.pages.bad_request"
handler404 = "flights.errors.pages.not_found"
handler500 = "flights.errors.pages.server_error"
