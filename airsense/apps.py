from django.apps import AppConfig


class AirSenseConfig(AppConfig):
    name = "airsense"

    def ready(self) -> None:
        from . import celery  # noqa: F401  # tasks are sent by every process, not by workers alone
