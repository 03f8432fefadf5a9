"""Make flights/pages/charts/outlines.txt: the outlines of the states as SVG path data.

    npm pack us-atlas@3.0.1 && tar -xzf us-atlas-3.0.1.tgz
    PYTHONPATH=flights/pages/charts .venv/bin/python deploy/outlines.py package/states-10m.json

The source is the Census Bureau's cartographic boundary files (public domain), which us-atlas
(ISC licence) converts to TopoJSON.
"""

import json
import sys
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import projection
from projection import Point

TARGET = Path(__file__).parents[1] / "flights/pages/charts/outlines.txt"
TOLERANCE = 0.5  # units of the map; a finer detail is less than a pixel
SMALLEST = 1.5  # square units; smaller islands are left out

type Arcs = list[list[Point | None]]


def main(source: str) -> None:
    topology = json.loads(Path(source).read_text())
    arcs = [simplified(arc) for arc in projected(topology)]
    rings = [joined(ring, arcs) for ring in all_rings(topology["objects"]["states"])]
    paths = [path(ring) for ring in rings if ring and area(ring) >= SMALLEST]
    TARGET.write_text("\n".join(paths) + "\n")
    sys.stdout.write(f"{len(paths)} outlines, {TARGET.stat().st_size:,} bytes\n")


def projected(topology: dict[str, Any]) -> Iterator[list[Point | None]]:
    """The arcs in units of the map; a point outside the map is None."""
    (scale_x, scale_y), (x, y) = (topology["transform"][name] for name in ("scale", "translate"))
    for arc in topology["arcs"]:
        steps = accumulate(arc, lambda point, step: [point[0] + step[0], point[1] + step[1]])
        yield [projection.point(y + scale_y * v, x + scale_x * u) for u, v in steps]


def simplified(arc: list[Point | None]) -> list[Point | None]:
    """Douglas and Peucker's simplification; an arc outside the map becomes [None]."""
    points = [p for p in arc if p is not None]
    if len(points) < len(arc):
        return [None]
    if len(points) < 3:
        return list(points)
    distances = [distance(p, points[0], points[-1]) for p in points]
    farthest = max(range(len(points)), key=distances.__getitem__)
    if distances[farthest] <= TOLERANCE:
        return [points[0], points[-1]]
    before = simplified(list(points[: farthest + 1]))
    return [*before[:-1], *simplified(list(points[farthest:]))]


def distance(point: Point, start: Point, end: Point) -> float:
    """From a point to a line, or to its start where both ends are equal."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    x, y = point[0] - start[0], point[1] - start[1]
    return abs(dx * y - dy * x) / length if length else (x * x + y * y) ** 0.5


def all_rings(states: dict[str, Any]) -> Iterator[list[int]]:
    for geometry in states["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            yield from polygon


def joined(ring: list[int], arcs: Arcs) -> list[Point]:
    """The points of a ring, or nothing if one is outside the map; ~n is arc n backwards."""
    points = [p for n in ring for p in (arcs[n] if n >= 0 else arcs[~n][::-1])]
    inside = [p for p in points if p is not None]
    return inside if len(inside) == len(points) else []


def area(ring: list[Point]) -> float:
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def path(ring: list[Point]) -> str:
    """`M10.5 3l1 2…z`, in steps from point to point."""
    tenths = [(round(x * 10), round(y * 10)) for x, y in ring]
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(tenths)]
    moves = "".join(f"l{number(x)} {number(y)}" for x, y in steps if x or y)
    return f"M{number(tenths[0][0])} {number(tenths[0][1])}{moves.replace(' -', '-')}z"


def number(tenths: int) -> str:
    return f"{tenths / 10:g}"


if __name__ == "__main__":
    main(*sys.argv[1:])
