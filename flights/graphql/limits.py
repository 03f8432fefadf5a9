"""What an operation may be before it is run: its size, its number of fields and their depth."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

LARGEST = 1 << 16  # bytes of a request; variables may hold long lists
# The query by which tools read a schema has 1,600 characters, 180 tokens and 240 fields, 15 deep.
# The worst that was found within these limits takes 0.4 s.
LONGEST, TOKENS, SELECTIONS, DEEPEST = 20_000, 2_000, 500, 20
ERRORS = 10  # that are told of a query that is wrong in many places


class Refused(Exception):
    """A request that is not run; its errors say why."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


def document(schema: GraphQLSchema, text: str) -> DocumentNode:
    """What a query says, if it is valid."""
    try:
        parsed = parse(
            text, max_lexical_tokens=TOKENS, max_comments=TOKENS, max_source_length=LONGEST
        )
        errors = validate(schema, parsed, max_errors=ERRORS)
    except GraphQLError as error:
        errors = [error]
    if errors:
        raise Refused(*errors)
    return parsed


def operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The one that is asked for."""
    found = get_operation_ast(document, name)
    if found is None:
        there = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        names = ", ".join(d.name.value for d in there if d.name)
        raise Refused(GraphQLError(f"operationName has to be one of these: {names}."))
    if found.operation != OperationType.QUERY:
        raise Refused(GraphQLError("Only queries are answered: nothing can be changed here."))
    return found


def roots(document: DocumentNode, of: OperationDefinitionNode) -> set[str]:
    """The names of the fields at the top; Refused where there are too many, or too deep ones."""
    fragments = {
        d.name.value: d.selection_set
        for d in document.definitions
        if isinstance(d, FragmentDefinitionNode)
    }
    names, count, waiting = set[str](), 0, [(of.selection_set, 1)]
    while waiting:
        within, depth = waiting.pop()
        count += len(within.selections)
        if count > SELECTIONS or depth > DEEPEST:
            raise Refused(_too_large(depth))
        for selection in within.selections:
            if isinstance(selection, FragmentSpreadNode):
                waiting.append((fragments[selection.name.value], depth))
            elif isinstance(selection, FieldNode):
                names |= {selection.name.value} if depth == 1 else set()
                if selection.selection_set:
                    waiting.append((selection.selection_set, depth + 1))
            elif isinstance(selection, InlineFragmentNode):
                waiting.append((selection.selection_set, depth))
    return names


def _too_large(depth: int) -> GraphQLError:
    if depth > DEEPEST:
        return GraphQLError(f"Fields are nested deeper than {DEEPEST}.")
    return GraphQLError(f"There are more than {SELECTIONS} fields, with those of fragments.")
