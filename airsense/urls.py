"""All URLs of the platform."""

from django.contrib import admin
from django.urls import include, path

from flights.errors.pages import page

from . import health

admin.autodiscover()  # here, so that commands that do not serve start faster

urlpatterns = [
    path("", include("flights.urls")),
    path("", include("transfers.urls")),
    path("admin/login/", page(admin.site.login)),  # `page` turns TooMany into a 429
    path("admin/", admin.site.urls),
    path("healthz", health.live),
    path("readyz", health.ready),
    path("connector", health.connection("worker")),
    path("dbstatus", health.connection("warehouse", "Databricks")),
    path("rdsstatus", health.connection("postgresql", "RDS")),
]
handler400 = "flights.errors.pages.bad_request"
handler404 = "flights.errors.pages.not_found"
handler500 = "flights.errors.pages.server_error"
