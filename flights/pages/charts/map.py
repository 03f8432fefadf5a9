"""A map of the United States: airports with values, and the routes that lead to them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .chart import FLIGHTS, NARROW, Table, Value
from .levels import Levels
from .projection import HEIGHT, WIDTH, Point, point
from .svg import Drawing

KEY = 30  # height of the key below the map
SMALLEST, LARGEST = 4.0, 11.0  # radius of a circle
BEND = 0.12  # of a route, as a part of its length
LABELS = 8  # airports whose code is written on the map
CLOSE = 26  # units between two codes, at least


@dataclass(frozen=True)
class Spot:
    """An airport on the map; without degrees it is not drawn."""

    code: str
    latitude: float | None
    longitude: float | None

    @property
    def point(self) -> Point | None:
        return point(self.latitude, self.longitude)


@dataclass(frozen=True)
class Map:
    """Values at spots; the area of a circle grows with the flights, its colour with the value.

    With a `centre`, lines lead from there to each spot. A spot without a value stays uncoloured; a
    spot beyond the map is only in the table of values.
    """

    values: Sequence[Value]
    spots: Sequence[Spot]  # of the values
    unit: str
    of: str = ""  # what a value is of: "Airport"
    centre: Spot | None = None
    better: str = "low"  # whether "low" or "high" values are good; bad ones are dark

    def draw(self, width: int) -> Drawing:
        scale = width / WIDTH
        drawing = Drawing(width, round(HEIGHT * scale) + KEY)
        drawing.outline(_outlines(), "land", scale)
        drawn = [(value, spot, _scaled(at, scale)) for value, spot, at in self._points]
        if centre := self.centre and self.centre.point:
            start = _scaled(centre, scale)
            for _, _, end in drawn:
                drawing.outline(_bow(start, end), "arc")
            drawing.circle(*start, 5, "centre")
        levels = Levels.of((value for value, _, _ in drawn), self.unit, self.better)
        for value, _, at in drawn:
            self._circle(drawing, value, at, levels, 0.75 if width == NARROW else 1)
        for code, (x, y) in _apart((spot.code, at) for _, spot, at in drawn):
            drawing.text(x + 8, y - 8, code, "tick place")
        levels.key(drawing, 0)
        return drawing

    def table(self) -> Table:
        rows = [[v.label, v.number, v.flights] for v in self.values]
        return [self.of, self.unit, FLIGHTS], [list(row) for row in rows]

    @property
    def beyond(self) -> list[str]:
        """The codes of the spots that are not on the map."""
        return [spot.code for spot in self.spots if not spot.point]

    @property
    def _points(self) -> list[tuple[Value, Spot, Point]]:
        """The values on the map, the largest circles first, so that small ones stay visible."""
        pairs = zip(self.values, self.spots, strict=True)
        on_map = [(value, spot, at) for value, spot in pairs if (at := spot.point)]
        return sorted(on_map, key=lambda drawn: -(drawn[0].flights or 0))

    def _circle(
        self, drawing: Drawing, value: Value, at: Point, levels: Levels, size: float
    ) -> None:
        most = max((v.flights or 0 for v in self.values), default=0) or 1
        radius = SMALLEST + (LARGEST - SMALLEST) * ((value.flights or 0) / most) ** 0.5
        kind = "unranked" if value.number is None else levels.kind(value.number)
        with drawing.mark(f"{value.label}: {value.text(self.unit)}", value.url):
            drawing.circle(*at, radius * size + 5, "hover")
            drawing.circle(*at, radius * size, f"spot {kind}")


def _scaled(at: Point, scale: float) -> Point:
    return at[0] * scale, at[1] * scale


def _bow(start: Point, end: Point) -> str:
    """Path data of a curve, bent upwards."""
    (x1, y1), (x2, y2) = start, end
    bend = BEND if x2 > x1 else -BEND
    x, y = (x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend
    return f"M{x1:.1f} {y1:.1f}Q{x:.1f} {y:.1f} {x2:.1f} {y2:.1f}"


def _apart(busiest: Iterable[tuple[str, Point]]) -> list[tuple[str, Point]]:
    """The busiest codes that do not cover each other."""
    chosen: list[tuple[str, Point]] = []
    for code, (x, y) in busiest:
        if all(abs(x - u) > 2 * CLOSE or abs(y - v) > CLOSE for _, (u, v) in chosen):
            chosen.append((code, (x, y)))
    return chosen[:LABELS]


@cache
def _outlines() -> str:
    """The states as path data, in units of the map."""
    return Path(__file__).with_name("outlines.txt").read_text().replace("\n", "")
