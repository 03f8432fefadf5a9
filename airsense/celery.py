"""The Celery application that `manage.py worker` and `manage.py beat` run."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "airsense.settings")
app = Celery("airsense", task_cls="airsense.scheduled_task:AlertingTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
