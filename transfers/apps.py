from django.apps import AppConfig


class TransfersConfig(AppConfig):
    """The app's configuration for Django."""

    name = "transfers"
