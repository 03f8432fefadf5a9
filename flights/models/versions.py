"""The copies that there are of each table, and which of them is published."""

from django.db import models


class TableVersion(models.Model):
    """One immutable copy of a table. The relation named by `relation` holds its rows."""

    table = models.TextField()
    number = models.PositiveIntegerField()
    columns = models.JSONField(help_text="PostgreSQL type of each column, by its name")
    source_version = models.TextField(help_text="version of the warehouse's table it was read at")
    rows = models.PositiveBigIntegerField()
    digest = models.TextField(help_text="hash of all its rows, whatever their order")
    not_finite = models.JSONField(
        null=True, help_text="columns with NaN or infinity; empty where that was not looked for"
    )
    made_by = models.PositiveBigIntegerField(null=True, help_text="number of its transfer")
    loaded_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, help_text="when it was first published")
    confirmed_at = models.DateTimeField(
        null=True, help_text="when it was last found equal to its source"
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
        return f"{self.table}__v{self.number}"

    @property
    def long_rows(self) -> str:
        """The relation of rows that no index can hold; few versions have one."""
        return f"{self.relation}__long"

    @property
    def dictionary(self) -> str:
        """The relation of the distinct values of its columns, for search."""
        return f"{self.relation}__values"


class PublishedTable(models.Model):
    """The row that says which version of a table is current; publishing updates it."""

    table = models.TextField(primary_key=True)
    current = models.OneToOneField(TableVersion, models.PROTECT, related_name="published")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.current)
