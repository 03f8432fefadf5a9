"""The GraphQL API at `/api/graphql`: the same tables and queries as the REST API."""
