"""Charts as SVG, drawn on the server: for pages, and as pictures of their own.

A `Figure` is a chart with its title, measure, source and number of flights. Its chart is one of
`Bars`, `Columns`, `Lines`, `Grid`, `Map` and `Scatter`, each made of `Value`s. A page draws every
chart twice, wide and narrow, and shows the one that fits, so that text keeps its size on a phone.
"""

from .bars import Bars
from .chart import Chart, Value
from .columns import Columns
from .figure import Figure
from .grid import Grid
from .lines import Lines, Series
from .map import Map, Spot
from .rows import Rows
from .scatter import Scatter

__all__ = [
    "Bars",
    "Chart",
    "Columns",
    "Figure",
    "Grid",
    "Lines",
    "Map",
    "Rows",
    "Scatter",
    "Series",
    "Spot",
    "Value",
]
