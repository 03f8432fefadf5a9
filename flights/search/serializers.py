"""Serializers that describe the responses of searches."""

from typing import Any

from rest_framework import serializers

from flights.web.openapi import Texts


class Fragment(serializers.Serializer[Any]):
    """A piece of a value's text."""

    text = serializers.CharField()
    found = serializers.BooleanField(help_text="Whether this piece matches a word.")


class FoundValue(serializers.Serializer[Any]):
    """A value of a column that matches a word."""

    column = serializers.CharField()
    value = serializers.CharField()
    fragments = Fragment(many=True)
    rows = serializers.IntegerField(help_text="Number of rows with this value.")
    alike = serializers.BooleanField(
        help_text="Whether the value contains a similar word instead of the word itself."
    )
    url = serializers.CharField(help_text="Query that returns the rows with this value.")


class FoundTable(serializers.Serializer[Any]):
    """The matching values and rows of one table."""

    table = serializers.CharField()
    version = serializers.IntegerField()
    values_found = serializers.IntegerField(
        help_text="Number of matching values, including those that are not listed."
    )
    values = FoundValue(many=True)
    columns = Texts()
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField()),
        help_text="The first rows that contain every word; values in the order of `columns`.",
    )


class SearchAnswer(serializers.Serializer[Any]):
    query = serializers.CharField(help_text="The words in lower case and without accents.")
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    tables = FoundTable(many=True)


# OpenAPI schema of a table in the response of `POST /api/advanced_search`.
FIRST_ROWS = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
    },
    "required": ["columns", "rows"],
}
