"""Load a table with pandas: read pages by LIMIT and OFFSET, write each by `to_sql`."""

import os

import pandas
import sqlalchemy

from .warehouse import connect

PAGE = 10_000
ADDRESS = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1)


def main() -> None:
    engine = sqlalchemy.create_engine(ADDRESS)
    with connect() as warehouse, warehouse.cursor() as cursor:
        done, exists = 0, "replace"
        while True:
            cursor.execute(f"SELECT * FROM few LIMIT {PAGE} OFFSET {done}")
            rows = cursor.fetchall()
            if not rows:
                return
            frame = pandas.DataFrame(rows, columns=[c[0] for c in cursor.description])
            frame.to_sql("few_by_to_sql", engine, if_exists=exists, index=False)
            done, exists = done + len(rows), "append"


if __name__ == "__main__":
    main()
