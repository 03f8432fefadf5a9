"""GraphQL object types made from the serializers that describe REST responses."""

from functools import cache
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


@cache  # a schema has one type of each name
def object_type(serializer: type[serializers.BaseSerializer[Any]]) -> GraphQLObjectType:
    """Make the object type of a serializer, with its name, fields and help texts."""
    items = serializer().fields.items()  # type: ignore[attr-defined]  # a Serializer has fields
    fields = {name: GraphQLField(_output(f), description=f.help_text) for name, f in items}
    return GraphQLObjectType(serializer.__name__, fields, description=serializer.__doc__)


def _output(field: Any) -> GraphQLOutputType:
    type_: Any
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        type_ = GraphQLList(_output(field.child))
    elif isinstance(field, serializers.BaseSerializer):
        type_ = object_type(type(field))  # type: ignore[arg-type]  # classes are hashable
    else:
        type_ = SCALARS[type(field)]
    nullable = field.allow_null or type_ is ANY  # a value of any column can be null
    return type_ if nullable else GraphQLNonNull(type_)
