"""Keys of the API."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

SCOPES = {
    "query": "rows, groups and counts of tables",
    "search": "search of all tables",
    "export": "files of whole queries",
}


def all_scopes() -> list[str]:
    return list(SCOPES)


class ApiKey(models.Model):
    """A larger allowance for somebody. Data are public: without a key the same can be asked."""

    secret = ""  # only of a key that was made a moment ago; nothing keeps it
    name = models.TextField(help_text="whose it is, or what for")
    prefix = models.TextField(editable=False, help_text="its first characters")
    digest = models.TextField(editable=False, unique=True, help_text="SHA-256 of it")
    scopes = ArrayField(
        models.TextField(choices=SCOPES.items()), default=all_scopes, help_text="what it is for"
    )
    rate = models.PositiveIntegerField(
        default=6_000, validators=[MinValueValidator(1)], help_text="requests a minute"
    )
    note = models.TextField(blank=True)
    ends_at = models.DateTimeField("ends", null=True, blank=True, help_text="empty for never")
    made_at = models.DateTimeField("made", auto_now_add=True)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        verbose_name, ordering = "API key", ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "ended" if self.ends_at and self.ends_at <= timezone.now() else "valid"
