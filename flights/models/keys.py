"""API keys and their scopes."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

# What an API key can be used for.
SCOPES = {
    "query": "rows, groups and counts of tables",
    "search": "search in all tables",
    "export": "files with all rows of a query",
}


def all_scopes() -> list[str]:
    """Default of `ApiKey.scopes`; a migration refers to it."""
    return list(SCOPES)


class ApiKey(models.Model):
    """A key that raises the rate limit of its user. The data are public without a key, too."""

    secret = ""  # only known for a key that was just created; it is not stored
    name = models.TextField(help_text="who uses the key, or its purpose")
    prefix = models.TextField(editable=False, help_text="first characters of the key")
    digest = models.TextField(editable=False, unique=True, help_text="SHA-256 of the key")
    scopes = ArrayField(
        models.TextField(choices=SCOPES.items()),
        default=all_scopes,
        help_text="what the key can be used for",
    )
    rate = models.PositiveIntegerField(
        default=6_000, validators=[MinValueValidator(1)], help_text="requests per minute"
    )
    note = models.TextField(blank=True)
    ends_at = models.DateTimeField(
        "expires", null=True, blank=True, help_text="leave empty if the key does not expire"
    )
    made_at = models.DateTimeField("created", auto_now_add=True)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        verbose_name, ordering = "API key", ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"

    @property
    def state(self) -> str:
        """Return `valid`, `revoked` or `expired`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.ends_at and self.ends_at <= timezone.now() else "valid"
