"""GraphQL types of answers that serializers describe for OpenAPI."""

from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
)
from rest_framework import serializers

from .scalars import ANY, LONG, TIME

SCALARS = {
    serializers.CharField: GraphQLString,
    serializers.IntegerField: LONG,
    serializers.FloatField: GraphQLFloat,
    serializers.BooleanField: GraphQLBoolean,
    serializers.DateTimeField: TIME,
    serializers.JSONField: ANY,
}


def answer(of: type[serializers.BaseSerializer[Any]]) -> GraphQLObjectType:
    fields = of().fields.items()  # type: ignore[attr-defined]  # a serializer of fields
    named = {name: GraphQLField(_kind(f), description=f.help_text) for name, f in fields}
    return GraphQLObjectType(of.__name__, named, description=of.__doc__)


def _kind(field: Any) -> GraphQLOutputType:
    kind: Any
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        kind = GraphQLList(_kind(field.child))
    elif isinstance(field, serializers.BaseSerializer):
        kind = answer(type(field))
    else:
        kind = SCALARS[type(field)]
    nullable = field.allow_null or kind is ANY  # which is null, too
    return kind if nullable else GraphQLNonNull(kind)
