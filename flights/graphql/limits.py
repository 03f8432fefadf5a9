"""Limits of an operation that are checked before it runs: size, number of fields, and depth."""

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

MAX_REQUEST_BYTES = 1 << 16  # variables may hold long lists
# Tools read a schema with a query of 1,600 characters, 180 tokens and 240 fields, 15 levels deep.
# The slowest query known within these limits takes 0.4 s to check.
MAX_CHARACTERS, MAX_TOKENS, MAX_FIELDS, MAX_DEPTH = 20_000, 2_000, 500, 20
MAX_ERRORS = 10  # reported for one query


class InvalidRequest(Exception):
    """A request that does not run; `errors` are sent to the client."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


def parse_document(schema: GraphQLSchema, text: str) -> DocumentNode:
    """Parse and validate the text of a query; InvalidRequest if it is wrong or too long."""
    try:
        document = parse(
            text,
            max_lexical_tokens=MAX_TOKENS,
            max_comments=MAX_TOKENS,
            max_source_length=MAX_CHARACTERS,
        )
        errors = validate(schema, document, max_errors=MAX_ERRORS)
    except GraphQLError as error:
        errors = [error]
    if errors:
        raise InvalidRequest(*errors)
    return document


def select_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to run; InvalidRequest if it is missing or not a query.

    `name` can be None if the document has only one operation.
    """
    operation = get_operation_ast(document, name)
    if operation is None:
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        names = ", ".join(d.name.value for d in operations if d.name)
        raise InvalidRequest(GraphQLError(f"operationName must be one of these: {names}."))
    if operation.operation != OperationType.QUERY:
        raise InvalidRequest(GraphQLError("Only queries are supported: this API is read-only."))
    return operation


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> set[str]:
    """Return the names of the operation's top-level fields.

    InvalidRequest if the operation has too many fields or nests them too deeply. A fragment's
    fields count each time the fragment is used.
    """
    fragments = {
        d.name.value: d.selection_set
        for d in document.definitions
        if isinstance(d, FragmentDefinitionNode)
    }
    names, count, stack = set[str](), 0, [(operation.selection_set, 1)]
    while stack:
        selection_set, depth = stack.pop()
        count += len(selection_set.selections)
        if count > MAX_FIELDS or depth > MAX_DEPTH:
            raise InvalidRequest(_too_large(depth))
        for selection in selection_set.selections:
            if isinstance(selection, FragmentSpreadNode):
                stack.append((fragments[selection.name.value], depth))
            elif isinstance(selection, FieldNode):
                names |= {selection.name.value} if depth == 1 else set()
                if selection.selection_set:
                    stack.append((selection.selection_set, depth + 1))
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, depth))
    return names


def _too_large(depth: int) -> GraphQLError:
    if depth > MAX_DEPTH:
        return GraphQLError(f"Fields are nested deeper than {MAX_DEPTH}.")
    return GraphQLError(
        f"The operation has more than {MAX_FIELDS} fields, counting those of fragments."
    )
