"""The unit of each column of a result, and the column that counts the flights behind it."""

from flights.mirror import Field, MirroredTable, public
from flights.query import aggregates, columns
from flights.query.grouping import Grouping

FLIGHTS = "flights"


class Units:
    """Units by the columns of a table, or of groups of its rows."""

    def __init__(
        self, model: type[MirroredTable], grouping: Grouping | None, aggregate: str
    ) -> None:
        self.mirror = model.mirror
        self.table = columns.of(model)
        self.grouping = grouping
        texts = (aggregates.parts(aggregate) or ["count"]) if grouping else []
        # The value of `aggregate` that gives each column: {"avg_Delay": "avg:Delay"}
        self.measures = {aggregates.name(self.table, text): text for text in texts}

    def unit(self, field: Field) -> str:
        """`%`, `minutes`, `flights`; "" if a column has no unit."""
        if text := self.measures.get(public(field)):
            return self._of_measure(text)
        return _short(self.mirror.units.get(field.name, ""))

    def flights(self, field: Field) -> tuple[str, str]:
        """The column with the number of flights, and the value of `aggregate` that gives it.

        Both are "" where no column counts them; the second is "" for columns of a table.
        """
        if not self.grouping:
            name = self.mirror.flights.get(field.name, "")
            return (public(self._field(name)), "") if name else ("", "")
        if self.mirror.rows == FLIGHTS:
            return "count", "count"
        column = self._column(self.measures.get(public(field), ""))
        name = self.mirror.flights.get(column.name, "") if column else ""
        if not name:
            return "", ""
        counting = public(self._field(name))
        return f"sum_{counting}", f"sum:{counting}"

    def _of_measure(self, text: str) -> str:
        function, column = text.partition(":")[0].strip().lower(), self._column(text)
        if function in ("percent", "share"):
            return "%"
        if function.startswith("count"):
            return "values" if column else self.mirror.rows
        return _short(self.mirror.units.get(column.name, "")) if column else ""

    def _column(self, text: str) -> Field | None:
        """The column of `avg:Delay`; the first one of `percent:A/B`."""
        name = text.partition(":")[2].partition("/")[0]
        return self.table.find(name) if name in self.table else None

    def _field(self, name: str) -> Field:
        return next(field for field in self.table.fields if field.name == name)


def _short(unit: str) -> str:
    return "%" if unit == "percent" else unit
