"""The WSGI application that `manage.py serve` runs."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from . import parent_death

parent_death.end_with(os.getppid())  # the server's processes stop when its main one is killed
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
_django = get_wsgi_application()

from .gateway import Gateway  # noqa: E402  # models can be imported from here on

application = Gateway(_django)
# What is there now stays, and kept answers are no garbage: to look through all of them for some
# stops a process for a quarter of a second.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 50, 50)
