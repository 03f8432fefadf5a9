"""Figures that somebody cited, kept as they were."""

from django.db import models


class Citation(models.Model):
    """A figure with its values and its picture at the time of its citation. It never changes.

    The name depends on the content only, so a figure cited twice is one citation.
    """

    name = models.TextField(primary_key=True, help_text="the end of its address")
    title = models.TextField()
    sentence = models.TextField(help_text="what the figure says; may be empty")
    measure = models.TextField(help_text="what the values are")
    source = models.TextField(help_text="the publisher, the table and its version")
    flights = models.PositiveBigIntegerField(
        null=True, help_text="number of flights that the values rest on"
    )
    heads = models.JSONField(help_text="titles of the columns of the values")
    rows = models.JSONField(help_text="the values")
    picture = models.TextField(help_text="the figure as SVG")
    page = models.TextField(help_text="address of the page with the current figure")
    query = models.TextField(help_text="address of the query of the values; may be empty")
    made_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.title
