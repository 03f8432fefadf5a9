"""The WSGI application that `manage.py serve` runs."""

import os

from django.core.wsgi import get_wsgi_application

from . import lifeline

lifeline.end_with(os.getppid())  # the server's processes stop when its main one is killed
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
_django = get_wsgi_application()

from .gateway import Gateway  # noqa: E402  # models can be imported from here on

application = Gateway(_django)
