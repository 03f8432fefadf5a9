"""Addresses of those who run transfers."""

from django.urls import path

from . import api

urlpatterns = [
    path("api/transfers/", api.Transfers.as_view(), name="transfers"),
    path("api/transfers/<int:pk>/", api.OneTransfer.as_view(), name="transfer"),
    path("service_transfer", api.ServiceTransfer.as_view()),
    path("transfer_table", api.TransferTable.as_view()),
]
