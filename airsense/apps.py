from django.apps import AppConfig


class AirSenseConfig(AppConfig):
    name = "airsense"

    def ready(self) -> None:
        from . import celery  # noqa: F401  # web processes send tasks, too
