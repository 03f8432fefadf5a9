"""Project points of the United States onto a flat map, with insets for Alaska and islands.

The Albers projection keeps areas true. The insets have their usual places below the south-west;
their scales differ from that of the map. Constants: d3-geo's `geoAlbersUsa` and, for Puerto Rico
and the Virgin Islands, the package geo-albers-usa-territories.
"""

from dataclasses import dataclass
from math import cos, radians, sin, sqrt

WIDTH, HEIGHT = 680, 425  # of the map
SCALE = 900.0  # units for each radian
CENTRE = (WIDTH / 2, HEIGHT * 0.49)

type Point = tuple[float, float]


@dataclass(frozen=True)
class Inset:
    """A part of the map: the degrees that it shows, and its own conic projection."""

    west: float  # in degrees from `meridian` to the east
    east: float
    south: float
    north: float
    meridian: float  # the central meridian, drawn vertically
    centre: tuple[float, float]  # longitude from the meridian, and latitude
    parallels: tuple[float, float]  # the standard parallels, which are not distorted
    shift: tuple[float, float] = (0.0, 0.0)  # in units of the scale
    scale: float = 1.0

    def contains(self, latitude: float, longitude: float) -> bool:
        east = _degrees(longitude - self.meridian)
        return self.west <= east <= self.east and self.south <= latitude <= self.north

    def point(self, latitude: float, longitude: float) -> Point:
        x, y = self._flat(_degrees(longitude - self.meridian), latitude)
        middle_x, middle_y = self._flat(*self.centre)
        k = SCALE * self.scale
        left, top = (c + SCALE * s for c, s in zip(CENTRE, self.shift, strict=True))
        return left + k * (x - middle_x), top - k * (y - middle_y)

    def _flat(self, east: float, latitude: float) -> Point:
        """The conic equal-area projection of degrees."""
        first, second = (sin(radians(degrees)) for degrees in self.parallels)
        n = (first + second) / 2
        c = 1 + first * (2 * n - first)
        radius = sqrt(c - 2 * n * sin(radians(latitude))) / n
        angle = radians(east) * n
        return radius * sin(angle), sqrt(c) / n - radius * cos(angle)


INSETS = [
    Inset(-29, 30, 24, 50, -96, (-0.6, 38.7), (29.5, 45.5)),
    Inset(-34, 25, 50, 72, -154, (-2, 58.5), (55, 65), (-0.287, 0.201), 0.35),  # Alaska
    Inset(-4, 3, 18, 23, -157, (-3, 19.9), (8, 18), (-0.205, 0.212)),  # Hawaii
    Inset(-2, 2, 17, 19, -66, (0, 18), (8, 18), (0.315, 0.218)),  # Puerto Rico, Virgin Islands
]


def point(latitude: float | None, longitude: float | None) -> Point | None:
    """The point on the map; None if it is outside or a coordinate is missing."""
    if latitude is None or longitude is None:
        return None
    inset = next((i for i in INSETS if i.contains(latitude, longitude)), None)
    return inset.point(latitude, longitude) if inset else None


def _degrees(degrees: float) -> float:
    """The same longitude between -180 and 180."""
    return (degrees + 180) % 360 - 180
