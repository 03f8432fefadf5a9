"""Addresses of those who run transfers."""

from django.urls import path

from . import api, first_routes

urlpatterns = [
    path("api/transfers/", api.Transfers.as_view(), name="transfers"),
    path("api/transfers/<int:pk>/", api.OneTransfer.as_view(), name="transfer"),
    path("service_transfer", first_routes.ServiceTransfer.as_view()),
    path("transfer_table", first_routes.TransferTable.as_view()),
]
