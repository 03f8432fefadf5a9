"""Write SVG. Classes name what a shape is; the style sheet charts.css gives it its looks."""

from collections.abc import Iterable
from html import escape
from typing import Any

type Number = float | int


class Drawing:
    """Shapes on a canvas. Coordinates count from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(self, x1: Number, y1: Number, x2: Number, y2: Number, kind: str) -> None:
        self._add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def path(self, points: Iterable[tuple[Number, Number]], kind: str) -> None:
        steps = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._add("path", kind, d=f"M{steps}")

    def outline(self, d: str, kind: str, scale: Number = 1) -> None:
        """A shape by its path data, which may have another scale than the drawing."""
        scaled: dict[str, Any] = {} if scale == 1 else {"transform": f"scale({scale:.4f})"}
        self._add("path", kind, d=d, **scaled)

    def text(self, x: Number, y: Number, text: str, kind: str = "", anchor: str = "start") -> None:
        """A line of text; `anchor` is the end that lies at x: start, middle or end."""
        attributes: dict[str, Any] = {} if anchor == "start" else {"text-anchor": anchor}
        self._add("text", kind, text, x=x, y=y, **attributes)

    def rect(
        self, x: Number, y: Number, width: Number, height: Number, kind: str, radius: Number = 0
    ) -> None:
        rounded: dict[str, Any] = {"rx": radius} if radius else {}
        self._add("rect", kind, x=x, y=y, width=max(0, width), height=max(0, height), **rounded)

    def circle(self, x: Number, y: Number, r: Number, kind: str) -> None:
        self._add("circle", kind, cx=x, cy=y, r=r)

    def mark(self, text: str, url: str = "") -> "Mark":
        """Shapes with a value: pointing at them, or moving to them by keyboard, shows the text."""
        return Mark(self, text, url)

    def markup(self, attributes: str = "", inside: str = "") -> str:
        """The `svg` element; `inside` comes before the shapes."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}"{attributes}>'
            f"{inside}{''.join(self._parts)}</svg>"
        )

    def append(self, markup: str) -> None:
        self._parts.append(markup)

    def _add(self, tag: str, kind: str, text: str = "", **attributes: Any) -> None:
        named = {"class": kind, **attributes} if kind else attributes
        inner = escape(text)
        pairs = "".join(f' {name}="{_attribute(value)}"' for name, value in named.items())
        self.append(f"<{tag}{pairs}>{inner}</{tag}>" if inner else f"<{tag}{pairs}/>")


class Mark:
    """`with drawing.mark("65.83 %"):` puts the shapes drawn inside it into one group."""

    def __init__(self, drawing: Drawing, text: str, url: str) -> None:
        self.drawing, self.text, self.url = drawing, text, url

    def __enter__(self) -> None:
        value = escape(self.text)
        # Links are for pointers: the table of values has the same ones for keyboards.
        link = f'<a href="{escape(self.url)}" tabindex="-1">' if self.url else ""
        self.drawing.append(f'<g class="mark" data-value="{value}"><title>{value}</title>{link}')

    def __exit__(self, *error: object) -> None:
        self.drawing.append("</a></g>" if self.url else "</g>")


def _attribute(value: object) -> str:
    return _number(value) if isinstance(value, int | float) else escape(str(value))


def _number(number: Number) -> str:
    return f"{number:.1f}".removesuffix(".0")
