"""Values of the schema count like values of rows: anybody can repeat them at little cost."""

from typing import Any

from graphql import Executor, GraphQLObjectType, is_introspection_type

from .operation import INTROSPECTED, Operation


class Counted(Executor[Any]):
    """Counts each value of the schema before it is resolved."""

    context_value: Operation

    def execute_field(self, parent_type: GraphQLObjectType, *more: Any) -> Any:
        if is_introspection_type(parent_type):
            self.context_value.add(INTROSPECTED)
        return super().execute_field(parent_type, *more)
