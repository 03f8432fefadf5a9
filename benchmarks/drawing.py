"""Draw an SVG file from the JSON of `benchmarks.plots`: `python -m benchmarks.drawing FILE`."""

import json
import sys
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot

WIDTH = 8.0  # inches
LOOK = {
    "svg.fonttype": "none",  # keep text as text: small, and readable by screen readers
    "svg.hashsalt": "airsense",  # make the file reproducible
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "figure.facecolor": "white",
    "axes.prop_cycle": mpl.cycler(color=["#0b57a4", "#c2410c", "#15803d", "#7e22ce"]),
}


def main() -> None:
    mpl.rcParams.update(LOOK)
    plot = json.load(sys.stdin)
    figure = _bars(plot["bars"], plot["unit"]) if "bars" in plot else _panels(plot["panels"])
    figure.savefig(sys.argv[1], metadata={"Date": None})


def _bars(values: dict[str, float], unit: str) -> Any:
    figure, axes = pyplot.subplots(figsize=(WIDTH, 0.6 + 0.3 * len(values)), layout="constrained")
    colors = ["#0b57a4" if name.startswith("AirSense") else "#9aa5b1" for name in values]
    bars = axes.barh(list(values), list(values.values()), color=colors)
    axes.bar_label(bars, [f"{value:,.0f}" for value in values.values()], padding=3)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_plain)
    axes.set_xlabel(f"{unit}, logarithmic")
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.margins(x=0.1)
    return figure


def _panels(panels: list[dict[str, Any]]) -> Any:
    figure, all_axes = pyplot.subplots(
        len(panels), figsize=(WIDTH, 2.6 * len(panels)), squeeze=False, layout="constrained"
    )
    for axes, panel in zip(all_axes.flat, panels, strict=True):
        for name, points in panel["lines"].items():
            axes.plot(*zip(*points, strict=True), marker="." * panel["log"], label=name)
        if panel["log"]:
            axes.set_xscale("log")
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(_plain)
        axes.yaxis.set_major_formatter(_plain)
        axes.set_xlabel(panel["x"])
        axes.set_ylabel(panel["y"])
        axes.legend(frameon=False)
    return figure


def _plain(value: float, _: int) -> str:
    return f"{value:,.10g}"


if __name__ == "__main__":
    main()
