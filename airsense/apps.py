import logging

from django.apps import AppConfig
from django.conf import settings


class AirSenseConfig(AppConfig):
    name = "airsense"

    def ready(self) -> None:
        from . import (  # noqa: F401
            celery,  # web processes send tasks, too
            deployment_checks,
        )

        logging.captureWarnings(True)  # Python's warnings become log lines

        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            from flights import tracing

            from .tracing import OpenTelemetry

            headers = settings.OTEL_EXPORTER_OTLP_HEADERS
            tracing.install(OpenTelemetry(settings.VERSION, headers))
