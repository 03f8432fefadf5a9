"""Make Celery log through Django's LOGGING, which is configured before it starts."""

from typing import Any

from celery.app.log import Logging as CeleryLogging


class Logging(CeleryLogging):
    def setup(self, *_: Any, **__: Any) -> bool:
        """Configure nothing; True tells Celery to leave handlers, levels and stdout alone."""
        return True
