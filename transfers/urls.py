"""URLs of transfers, and of the first AirSense's transfers."""

from django.urls import path

from . import api, legacy_api, preview_api

urlpatterns = [
    path("api/transfers/", api.Transfers.as_view(), name="transfers"),
    path("api/transfers/<int:pk>/", api.OneTransfer.as_view(), name="transfer"),
    path("api/transfers/previews/", preview_api.Previews.as_view(), name="previews"),
    path("api/transfers/previews/<int:pk>/", preview_api.OnePreview.as_view(), name="preview"),
    path("service_transfer", legacy_api.ServiceTransfer.as_view()),
    path("transfer_table", legacy_api.TransferTable.as_view()),
]
