"""Count the values of the schema that an operation reads, as it can read each of them repeatedly.

Without a limit, a short query could make the server write the same types thousands of times.
"""

from typing import Any

from graphql import Executor, GraphQLObjectType, is_introspection_type

from .operation import SCHEMA_VALUE_COST, Operation


class CountingExecutor(Executor[Any]):
    """Counts each value of the schema before it is resolved."""

    context_value: Operation

    def execute_field(self, parent_type: GraphQLObjectType, *more: Any) -> Any:
        if is_introspection_type(parent_type):
            self.context_value.add_values(SCHEMA_VALUE_COST)
        return super().execute_field(parent_type, *more)
