"""Find the object that a URL of the admin names. The id may be any text: `/transfer/²/retry/`."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404


def find[M: models.Model](objects: "models.QuerySet[M]", **lookup: Any) -> M | None:
    """Return the object; None if no object matches, or if the text is not a valid id."""
    try:
        return objects.filter(**lookup).first()
    except (ValueError, ValidationError):
        return None


def find_or_404[M: models.Model](objects: "models.QuerySet[M]", **lookup: Any) -> M:
    if row := find(objects, **lookup):
        return row
    raise Http404(f"There is no such {objects.model._meta.verbose_name}.")
