"""Give a copy of a database a reader role of its own, as `manage.py setup` would.

A copy's grants name the role of the original, because roles belong to the server.
"""

from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from psycopg import sql

GRANTS = """
    SELECT format('GRANT %s ON %s TO %I', privilege_type, oid::regclass, {reader})
    FROM pg_class, aclexplode(relacl) WHERE grantee = {original}::regrole
    UNION ALL
    SELECT
        format('GRANT %s (%I) ON %s TO %I', privilege_type, attname, attrelid::regclass, {reader})
    FROM pg_attribute, aclexplode(attacl) WHERE grantee = {original}::regrole
"""


def copy(original: str, url: str) -> None:
    """Create the role of the database at `url`, a copy of `original`, with the same grants."""
    name = urlsplit(url).path.strip("/")
    reader, of_original = (sql.Identifier(f"{database}_reader") for database in (name, original))
    names = {"reader": sql.Literal(f"{name}_reader"), "original": sql.Literal(f"{original}_reader")}
    password = sql.Literal(settings.DATABASES["reader"]["PASSWORD"])
    statements = [
        sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}").format(reader, password),
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)),
    ]
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)
        for (grant,) in connection.execute(sql.SQL(GRANTS).format(**names)).fetchall():
            connection.execute(grant)
        connection.execute(sql.SQL("DROP OWNED BY {}").format(of_original))
