"""The versions of each mirrored table, and which version is published."""

from django.db import models


class TableVersion(models.Model):
    """An immutable copy of a table; its rows are in the PostgreSQL relation named `relation`."""

    table = models.TextField()
    number = models.PositiveIntegerField()
    columns = models.JSONField(help_text="PostgreSQL type of each column, by name")
    source_version = models.TextField(
        help_text="version of the warehouse table that it was read from"
    )
    rows = models.PositiveBigIntegerField()
    digest = models.TextField(help_text="hash of all rows, independent of their order")
    not_finite = models.JSONField(
        null=True, help_text="columns with NaN or infinity; empty if unknown"
    )
    formula_free = models.JSONField(
        null=True,
        help_text="columns of which no text begins as a spreadsheet's formula; empty if unknown",
    )
    checks = models.JSONField(
        null=True, help_text="results of the quality checks; null if there were none"
    )
    override = models.JSONField(
        null=True, help_text="who published it despite failed checks, with time and reason"
    )
    made_by = models.PositiveBigIntegerField(
        null=True, help_text="number of the transfer that created it"
    )
    loaded_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, help_text="when it was first published")
    confirmed_at = models.DateTimeField(
        null=True, help_text="when it was last equal to the warehouse table"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["table", "number"], name="one_version_of_a_number")
        ]
        ordering = ["table", "-number"]

    def __str__(self) -> str:
        return f"{self.table}/{self.number}"

    @property
    def relation(self) -> str:
        """Name of the PostgreSQL table with the rows."""
        return f"{self.table}__v{self.number}"

    @property
    def long_rows(self) -> str:
        """Name of the PostgreSQL table of rows too long for an index; few versions have one."""
        return f"{self.relation}__long"

    @property
    def dictionary(self) -> str:
        """Name of the PostgreSQL table of distinct values, for search."""
        return f"{self.relation}__values"


class PublishedTable(models.Model):
    """The pointer to the current version of a table; publishing a version updates it."""

    table = models.TextField(primary_key=True)
    current = models.OneToOneField(TableVersion, models.PROTECT, related_name="published")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.current)
