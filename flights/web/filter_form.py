"""The filters of a table as a form: one of django-filter's lookup choices for each column.

A browser submits it to `/api/TABLE/filter`, which redirects to the address of the query. So the
address has only the filters that are in use, and the form needs no JavaScript.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_filters import FilterSet, LookupChoiceFilter
from django_filters.fields import LookupChoiceField
from django_filters.widgets import LookupChoiceWidget

from flights.errors import BadQuery
from flights.mirror import GROUP, Field, MirroredTable, public
from flights.query import columns, operators, values
from flights.query.filters import column_operator, filters
from flights.query.operators import OPERATORS

# Whether a column is empty needs no value, so each answer is an operator of its own.
EMPTY = {"isnull=true": "is empty", "isnull=false": "has a value"}
MOST_OFTEN = "icontains"  # the operator that the form first offers for texts
type Conditions = dict[str, list[tuple[str, str]]]  # operators and values by column

OWN = ("order_by", "limit")  # parameters with a control of their own
OF_ONE_PAGE = ("offset", "cursor", "format")  # parameters that other filters make meaningless


class OperatorAndValue(LookupChoiceWidget):
    """Draws the operator before the value, each with a name for screen readers."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        text, operator = self.decompress(value)
        return format_html(
            '<div class="pair"><select name="{name}_lookup" aria-label="{title}: operator">'
            '{options}</select><input name="{name}" value="{text}" aria-label="{title}: value"'
            ' placeholder="{sample}" autocomplete="off"></div>',
            name=name,
            options=_options(self.attrs["choices"], operator),
            text=text or "",
            title=self.attrs["title"],
            sample=self.attrs["sample"],
        )


@lru_cache(256)  # three kinds of columns with up to 29 operators; Django's own takes 6 ms a column
def _options(choices: tuple[tuple[str, Any], ...], selected: str | None) -> SafeString:
    return format_html_join("", "{}", ((_option(*choice, selected),) for choice in choices))


def _option(name: str, label: Any, selected: str | None) -> SafeString:
    if isinstance(label, tuple):
        return format_html('<optgroup label="{}">{}</optgroup>', name, _options(label, selected))
    mark = " selected" if name == selected else ""
    return format_html('<option value="{}"{}>{}</option>', name, mark, label)


class OperatorAndValueField(LookupChoiceField):
    def __init__(self, field: forms.Field, lookup_choices: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, lookup_choices, *args, **kwargs)
        attrs = {"title": self.label, "sample": field.help_text, "choices": tuple(lookup_choices)}
        self.widget = OperatorAndValue([part.widget for part in self.fields], attrs)


class ColumnLookup(LookupChoiceFilter):
    """A condition on one column."""

    outer_class = OperatorAndValueField

    def __init__(self, field: Field, unit: str) -> None:
        title, sample = public(field).replace("_", " "), values.sample(field)
        super().__init__(
            field.name,
            _choices(field),
            label=title,
            empty_label=None,
            help_text="" if sample == "x" else sample,
        )
        self.column, self.unit, self.meaning = public(field), unit, field.help_text


def filled(model: type[MirroredTable], params: QueryDict) -> FilterSet:
    """The filters of all columns with a query's conditions; unknown parameters are left out."""
    used: Conditions = {}
    for name, value in filters(_texts(params)).items():
        try:
            field, operator = column_operator(columns.of(model), name)
        except BadQuery:
            continue  # an `or`, or an error that the response reports
        used.setdefault(public(field), []).append(_controls(operator, value))
    return _filterset(model, used)(_data(used), queryset=model._default_manager.all())


def address_params(submitted: QueryDict) -> dict[str, str]:
    """The parameters of the query that a submitted form describes, without empty values."""
    texts = _texts(submitted)
    conditions = [name for name in texts if f"{name}_lookup" in texts]
    controls = {*conditions, *(f"{name}_lookup" for name in conditions)}
    rest = {name: text for name, text in texts.items() if text and name not in controls}
    return {**dict(_filters(texts, conditions)), **rest}


def _filters(texts: dict[str, str], conditions: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in conditions:
        column, text = name.rpartition(".")[0], texts[name]
        operator, _, value = texts[f"{name}_lookup"].partition("=")
        if value or text:
            yield (column if operator == "exact" else f"{column}__{operator}"), value or text


def hidden(params: QueryDict) -> dict[str, str]:
    """Parameters that the form sends along unchanged, because it has no control for them."""
    others = {n: v for n, v in _texts(params).items() if n.lower() not in (*OWN, *OF_ONE_PAGE)}
    conditions = filters(others)
    return {n: v for n, v in others.items() if n not in conditions or GROUP.fullmatch(n)}


def _filterset(model: type[MirroredTable], used: Conditions) -> type[FilterSet]:
    """A filter for each condition of a column, and one more."""
    named: dict[str, Any] = {}
    for field in model.columns():
        unit = model.mirror.units.get(field.name, "")
        numbers = range(len(used.get(public(field), [])) + 1)
        named |= {f"{public(field)}.{number}": ColumnLookup(field, unit) for number in numbers}
    return type(f"{model.__name__}Form", (FilterSet,), named)


def _data(used: Conditions) -> dict[str, str]:
    """The conditions as the form would submit them."""
    data: dict[str, str] = {}
    for column, conditions in used.items():
        for number, (operator, value) in enumerate(conditions):
            data |= {f"{column}.{number}_lookup": operator, f"{column}.{number}": value}
    return data


def _controls(operator: str, value: str) -> tuple[str, str]:
    """What the two controls of a condition show."""
    if operator == "isnull":
        return f"isnull={value.lower()}", ""
    return ("not_exact" if operator == "not" else operator), value


def _choices(field: Field) -> list[tuple[str, Any]]:
    """The operators by label: those that people use first, then their negations."""
    names = [name for name in operators.names(field) if name != "isnull"]
    names.sort(key=lambda name: name != MOST_OFTEN)
    plain = [(name, OPERATORS[name].label) for name in names]
    return [*plain, *EMPTY.items(), ("Not", tuple(_negated(names)))]


def _negated(names: list[str]) -> Iterator[tuple[str, str]]:
    return ((f"not_{name}", f"not: {OPERATORS[name].label}") for name in names)


def _texts(params: QueryDict) -> dict[str, str]:
    """The last value of each parameter."""
    return {name: str(value) for name, value in params.items()}
