"""The WSGI application that `manage.py serve` runs."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from . import parent_death

parent_death.end_with(os.getppid())  # stop if the main process is killed
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
_django = get_wsgi_application()

from .gateway import Gateway  # noqa: E402  # models cannot be imported before Django is set up

application = Gateway(_django)
# Exclude everything loaded so far from garbage collection. Scan new objects often: a scan of 50,000
# stops the process for 40 ms. Scan old ones, such as all cached responses, rarely: that takes a
# quarter of a second.
gc.collect()
gc.freeze()
gc.set_threshold(5_000, 500, 50)
