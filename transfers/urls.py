"""Addresses of those who run transfers."""

from django.urls import path

from . import api

urlpatterns = [
    path("service_transfer", api.ServiceTransfer.as_view()),
    path("transfer_table", api.TransferTable.as_view()),
]
