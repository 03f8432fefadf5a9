"""Query a source by the model's names for its columns, which the warehouse may spell otherwise."""

from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from flights.mirror import MirroredTable
from transfers.load import columns
from transfers.warehouses import Snapshot, spark_sql


@dataclass(frozen=True)
class Named:
    """A source, and the query that renames its columns."""

    source: Snapshot
    renamed: str

    @classmethod
    def of(cls, model: type[MirroredTable], source: Snapshot) -> Self:
        """Compare the columns of a source with a model's; SchemaMismatch if they do not fit."""
        ours = columns.schema(model)
        theirs = columns.check(ours, source.schema, model._meta.db_table).names
        pairs = zip(map(spark_sql.name, theirs), map(spark_sql.name, ours.names), strict=True)
        names = ", ".join(f"{one} AS {other}" for one, other in pairs)
        return cls(source, f"({spark_sql.select(names, '{source}')}) AS source")

    @property
    def rows(self) -> int:
        return self.source.rows

    def query(self, sql: str) -> pa.Table:
        """Run a query, in which `{source}` stands for the source with the model's names."""
        return self.source.query(sql.replace("{source}", self.renamed))
