"""Serializers that describe the responses of searches."""

from typing import Any

from rest_framework import serializers

from flights.entities import KINDS
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


class Thing(serializers.Serializer[Any]):
    """An airline, airport, city, route, flight or day."""

    kind = serializers.CharField(help_text=f"One of {', '.join(KINDS)}.")
    name = serializers.CharField()
    detail = serializers.CharField(help_text="What helps to recognise it, such as its city.")
    value = serializers.CharField(help_text="What to write in a search for it, such as its code.")
    url = serializers.CharField(help_text="Address of its page.")
    flights = serializers.IntegerField(
        allow_null=True, help_text="Number of scheduled flights; null if it is not known."
    )


class Understood(Thing):
    """A part of the text that names something."""

    text = serializers.CharField(help_text="The part of the text.")
    exact = serializers.BooleanField(help_text="False if the text has a typing error.")
    others = Thing(many=True, help_text="What else the text may mean.")


class Suggestions(serializers.Serializer[Any]):
    query = serializers.CharField()
    suggestions = Thing(many=True, help_text="The best match first, then by number of flights.")


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
    url = serializers.CharField(
        allow_null=True,
        help_text="Query that returns exactly the matching rows; null if there are none, or if too"
        " many values match.",
    )
    explorer = serializers.CharField(allow_null=True, help_text="The explorer with these rows.")


class SearchAnswer(serializers.Serializer[Any]):
    query = serializers.CharField(help_text="The words in lower case and without accents.")
    understood = Understood(many=True, help_text="What the text names, in its order.")
    routes = Thing(many=True, help_text="Routes between the places that the text names.")
    close = Thing(many=True, help_text="If no row matches: what the text may mean instead.")
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
