"""The form of a table's filters on the page of its rows, and the redirect of a submitted form."""

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import loader
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views import View
from django.views.decorators.cache import cache_control
from rest_framework.request import Request

from flights.mirror import MirroredTable, public

from . import filter_form
from .renderers import Browsable

LIMITS = ("10", "100", "1000", "10000")


class TablePage(Browsable):
    """The page of a table's rows, with the form of its filters."""

    def get_filter_form(self, data: Any, view: Any, request: Request) -> str:
        return text(view.model, request)


def text(model: type[MirroredTable], request: Request) -> str:
    """The form with the conditions of a request."""
    params = request.query_params
    filters = filter_form.filled(model, params)
    named = groupby(filters.filters.items(), lambda item: item[1].column)
    limit, order = params.get("limit", ""), params.get("order_by", "")
    orders = _orders(model)
    context = {
        "action": f"/api/{model._meta.db_table}/filter",
        "reset": f"/api/{model._meta.db_table}/",
        "columns": [
            {"filter": items[0][1], "fields": [filters.form[name] for name, _ in items]}
            for items in (list(group) for _, group in named)
        ],
        "used": len(filters.data) // 2,
        "hidden": filter_form.hidden(params),
        "orders": orders if order in orders else {**orders, order: order},
        "order": order,
        "limits": LIMITS if limit in ("", *LIMITS) else (limit, *LIMITS),
        "limit": limit,
    }
    return loader.render_to_string("api/filter_form.html", context)


@method_decorator(cache_control(public=True, max_age=3600), "dispatch")
class Submitted(View):
    """Redirect to the address of the query that the form describes."""

    model: type[MirroredTable] = None  # type: ignore[assignment]  # set by as_view(model=...)

    def get(self, request: HttpRequest) -> HttpResponse:
        query = urlencode(filter_form.address_params(request.GET))
        return HttpResponseRedirect(f"/api/{self.model._meta.db_table}/?{query}#filters")


def _orders(model: type[MirroredTable]) -> dict[str, str]:
    """Each order by one column, with its label."""
    orders = {"": "the table's order"}
    for name in map(public, model.columns()):
        title = name.replace("_", " ")
        orders |= {name: f"{title}, ascending", f"-{name}": f"{title}, descending"}
    return orders
