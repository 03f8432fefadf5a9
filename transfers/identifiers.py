"""Quote the names of tables and columns in SQL."""


def quoted(name: str, quote: str = '"') -> str:
    """Quote an identifier."""
    return quote + name.replace(quote, 2 * quote) + quote
