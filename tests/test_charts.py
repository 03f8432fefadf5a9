"""Charts: values with their flights, gaps for missing values, and pictures of their own."""

import csv
import io
import struct
from xml.etree import ElementTree

from flights.pages.charts import (
    Bars,
    Chart,
    Columns,
    Figure,
    Grid,
    Lines,
    Map,
    Scatter,
    Series,
    Spot,
    Value,
    picture,
)
from flights.pages.charts import chart as sizes

MONTHS = [Value("Jan", 80.25, 300), Value("Feb", None), Value("Mar", 70.0, 1_200)]
CHARTS: list[Chart] = [
    Bars(MONTHS, "%", "Month"),
    Columns(MONTHS, "%", "Month"),
    Lines([Series("On time", MONTHS)], "%", "Month"),
    Grid([("2013", MONTHS), ("2014", [None, *MONTHS[1:]])], ["Jan", "Feb", "Mar"], "%"),
    Scatter(MONTHS, [100.0, 200.0, None], "%", "miles", "Month"),
    Map(
        MONTHS,
        [Spot("JFK", 40.64, -73.78), Spot("ANC", 61.17, -149.99), Spot("HNL", 21.32, -157.92)],
        "%",
        "Airport",
    ),
]


def test_each_value_states_its_number_of_flights() -> None:
    for chart in CHARTS:
        assert any("80.25 %, 300 flights" in text for text in _values(chart))


def test_a_missing_value_is_a_gap_and_never_zero() -> None:
    for chart in CHARTS:
        texts = [text for text in _values(chart) if "Feb" in text]
        assert texts == (["Feb: no value"] if isinstance(chart, Bars | Columns | Map) else [])
    lines = _drawn(CHARTS[2]).findall(".//{*}path[@class='line s1']")
    assert lines == []  # two values beside a gap are not connected


def test_a_chart_without_any_value_is_drawn_empty() -> None:
    empty = [Value("Jan", None)]
    charts: list[Chart] = [
        *(Bars([], "%"), Bars(empty, "%"), Columns(empty, "%"), Lines([], "%")),
        *(Grid([("2013", [None])], ["Jan"], "%"), Scatter(empty, [None], "%", "miles")),
        *(Map([], [], "%"), Map(empty, [Spot("ORD", 41.98, -87.9)], "%")),
    ]
    assert all(_values(chart) in ([], ["Jan: no value"]) for chart in charts)


def test_labels_are_texts_and_never_markup() -> None:
    chart = Bars([Value('<script>"&', 1.0, url='/a?"b')], "<b>", "<i>")
    assert "<script>" not in chart.draw(sizes.WIDE).markup()
    assert _values(chart) == ['<script>"&: 1.00 <b>']


def test_a_figure_is_a_picture_and_data_of_its_own() -> None:
    figure = Figure("months", "On time", "Percent", CHARTS[0], "BTS; version 3", 1_500, "/api/x/")
    document = _parsed(picture.svg(figure))
    assert {"On time", "Percent", "1,500 flights. BTS; version 3."} <= set(document.itertext())
    png = picture.png(figure)
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert width > 1_000 < 4 * height
    rows = list(csv.reader(io.StringIO(figure.csv())))
    assert rows == [
        ["Month", "%", "Flights"],
        ["Jan", "80.25", "300"],
        ["Feb", "", ""],
        ["Mar", "70.0", "1200"],
    ]


def _drawn(chart: Chart) -> ElementTree.Element:
    assert chart.draw(sizes.NARROW).markup()
    return _parsed(chart.draw(sizes.WIDE).markup())


def _parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  # our own document


def _values(chart: Chart) -> list[str]:
    return [mark.attrib["data-value"] for mark in _drawn(chart).findall(".//{*}g[@class='mark']")]


def test_a_map_has_alaska_hawaii_and_puerto_rico_and_names_the_airports_beyond_it() -> None:
    spots = [
        *(Spot("ANC", 61.17, -149.99), Spot("ADK", 51.88, -176.64), Spot("HNL", 21.32, -157.92)),
        *(Spot("SJU", 18.44, -66.0), Spot("MIA", 25.79, -80.29), Spot("SEA", 47.45, -122.31)),
        *(Spot("GUM", 13.48, 144.8), Spot("XXX", None, None)),
    ]
    chart = Map([Value(spot.code, 80.0, 10) for spot in spots], spots, "%", centre=spots[4])
    assert chart.beyond == ["GUM", "XXX"]
    for width in (sizes.WIDE, sizes.NARROW):
        drawing = _parsed(chart.draw(width).markup())
        circles = drawing.findall(".//{*}circle[@class='spot level0']")
        places = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in circles]
        assert len(places) == len(set(places)) == 6
        height = float(drawing.attrib["height"])
        assert all(5 < x < width - 5 and 5 < y < height - 30 for x, y in places)
