"""`/compare/?a=/airlines/B6/&b=/airlines/DL/`: two things of a kind beside each other."""

from flights.errors import BadQuery
from flights.pages import formatting
from flights.pages.charts import Bars, Figure, Value

from . import common_routes, compare_months, compared, known, outcomes
from .compared import Thing
from .outcomes import PERCENT, SUM, figure, share_cell, whole
from .page import Cell, Choice, Listing, Page

UNIT = "%"
QUESTION = (
    "Enter two airlines (B6), airports (JFK), routes (JFK-MCO), flights (B6-583) or days"
    " (2013-02-09) to compare how punctual they are."
)


def build(params: dict[str, str]) -> Page:
    texts = [params.get(name, "").strip() for name in ("a", "b")]
    choices = [
        Choice(name, label, text)
        for name, label, text in zip("ab", ("Compare", "With"), texts, strict=True)
    ]
    if not all(texts):
        return _page("Compare", QUESTION, choices, None)
    a, b = map(compared.read, texts)
    if a.kind != b.kind:
        raise BadQuery(
            f"{a.name} is one of the {a.kind}, {b.name} one of the {b.kind}: compare two of a kind."
        )
    if a.url == b.url:
        raise BadQuery(f"a and b are both {a.name}: compare two different things.")
    return _compared(a, b, choices)


def _compared(a: Thing, b: Thing, choices: list[Choice]) -> Page:
    common = common_routes.of(a, b) if a.kind == "airlines" else None
    figures = [
        _on_time(a, b),
        *(common.figures if common else ()),
        *compare_months.figures(a, b),
    ]
    return _page(
        f"{a.name} and {b.name}",
        _answer(a, b, common),
        choices,
        min(a.row[SUM] or 0, b.row[SUM] or 0),
        figures=[each for each in figures if each.rows],
        listings=[_outcomes(a, b), *(common.listings if common else ())],
        related=[(thing.name, thing.url) for thing in (a, b)],
    )


def _answer(a: Thing, b: Thing, common: common_routes.Common | None) -> str:
    period = formatting.period(*known.period())
    every = " and ".join(
        f"{formatting.percent_of(thing.row[PERCENT], thing.row[SUM] or 0)}"
        f" {thing.side} {thing.name}"
        for thing in (a, b)
    )
    if common is None:
        return f"{every} arrived on time{'' if a.kind == 'days' else f' ({period})'}."
    if not common.rows:
        return f"{every} arrived on time ({period}); they fly no route in common."
    return f"{common.answer}; over all routes {every} ({period})."


def _on_time(a: Thing, b: Thing) -> Figure:
    values = [Value(t.name, t.row[PERCENT], t.row[SUM], t.url) for t in (a, b)]
    chart = Bars(values, UNIT, a.kind.removesuffix("s").capitalize())
    flights = sum(value.flights or 0 for value in values)
    return figure("on-time", "On time", outcomes.ON_TIME, chart, a.rows, flights)


def _outcomes(a: Thing, b: Thing) -> Listing:
    return Listing(
        "Outcomes",
        [a.kind.removesuffix("s").capitalize(), "Flights", *outcomes.SUM_HEADS],
        [
            [
                Cell(thing.name, thing.url),
                whole(thing.row[SUM]),
                *(share_cell(thing.row[column]) for column in outcomes.SUM_COLUMNS),
            ]
            for thing in (a, b)
        ],
        a.rows.source,
        a.rows.url,
        also=b.rows.url,
    )


def _page(
    title: str,
    answer: str,
    choices: list[Choice],
    flights: int | None,
    figures: list[Figure] | tuple[()] = (),
    listings: list[Listing] | tuple[()] = (),
    related: list[tuple[str, str]] | tuple[()] = (),
) -> Page:
    return Page(
        kind="Comparison",
        above=("Home", "/"),
        title=title,
        answer=answer,
        flights=flights,
        choices=choices,
        submit="Compare",
        figures=figures,
        listings=listings,
        related=related,
        notes=outcomes.NOTES,
        indexed=flights is None,
    )
