"""Query a source by the model's column names, which the warehouse may spell differently."""

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
        """Select the model's columns that the source has, under the model's names."""
        names = ", ".join(
            f"{spark_sql.name(match)} AS {spark_sql.name(field.name)}"
            for field in columns.schema(model)
            for match in columns.compare(pa.schema([field]), source.schema).names
        )
        return cls(source, f"({spark_sql.select(names or '*', '{source}')}) AS source")

    @property
    def rows(self) -> int:
        return self.source.rows

    def query(self, sql: str) -> pa.Table:
        """Run a query, in which `{source}` stands for the source with the model's names."""
        return self.source.query(sql.replace("{source}", self.renamed))
