"""The Celery application that `manage.py worker` and `manage.py beat` run."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
# Celery would run the checks of all pages, and import the whole web server for that: 0.6 s of CPU,
# and 39 of 196 MB. The commands `worker` and `beat` run the checks that concern them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
app = Celery(
    "airsense",
    task_cls="airsense.scheduled_task:AlertingTask",
    log="airsense.celery_logging:Logging",
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
