"""The OpenAPI description of `/api/graphql`; GraphQL's own schema describes the data."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers

from flights.web.problems import problems

EXAMPLE = "{ delays_by_day(limit: 2) { version rows { Day_of_Week Avg_Arrival_Delay } } }"


class GraphQLRequest(serializers.Serializer[Any]):
    query = serializers.CharField()
    variables = serializers.DictField(
        child=serializers.JSONField(), required=False, allow_null=True
    )
    operationName = serializers.CharField(required=False, allow_null=True)  # GraphQL's name
    extensions = serializers.DictField(
        child=serializers.JSONField(), required=False, allow_null=True
    )


class GraphQLError(serializers.Serializer[Any]):
    message = serializers.CharField()
    locations = serializers.ListField(child=serializers.JSONField(), required=False)
    path = serializers.ListField(child=serializers.JSONField(), required=False)
    extensions = serializers.DictField(
        child=serializers.JSONField(),
        help_text="`status`, and `allowed` (the valid values) for some errors.",
    )


class GraphQLAnswer(serializers.Serializer[Any]):
    data = serializers.DictField(  # type: ignore[assignment]  # GraphQL's names
        child=serializers.JSONField(), required=False, allow_null=True
    )
    errors = GraphQLError(many=True, required=False)  # type: ignore[assignment]


STATUSES = (200, 400, 401, 403, 404, 413, 415, 429, 503)
SHARED: dict[str, Any] = {
    "tags": ["GraphQL"],
    "responses": {**dict.fromkeys(STATUSES, GraphQLAnswer), **problems(413, 414)},
}
GET = extend_schema(
    operation_id="graphql",
    parameters=[
        OpenApiParameter("query", required=True, examples=[OpenApiExample("Days", EXAMPLE)]),
        OpenApiParameter("variables", description="A JSON object."),
        OpenApiParameter("operationName"),
        OpenApiParameter("extensions", description="A JSON object; the server ignores it."),
    ],
    **SHARED,
)
POST = extend_schema(
    operation_id="graphql_by_post",
    request=GraphQLRequest,
    examples=[OpenApiExample("Days", {"query": EXAMPLE}, request_only=True)],
    **SHARED,
)
