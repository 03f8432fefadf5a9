"""Every address of the platform."""

from django.contrib import admin
from django.urls import include, path

from . import health

urlpatterns = [
    path("", include("flights.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.live),
    path("readyz", health.ready),
]
handler404 = "flights.errors.not_found"
handler500 = "flights.errors.failed"
