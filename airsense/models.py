"""The users as whom people of the sign-in provider sign in."""

from django.conf import settings
from django.db import models


class Identity(models.Model):
    """A person of the OpenID Connect provider, and the user as whom this person signs in.

    Only issuer and subject identify a person: another person can get the same name or mail address.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255, help_text="address of the provider, claim iss")
    subject = models.CharField(max_length=255, help_text="the person's id there, claim sub")

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_user_for_an_identity")
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
