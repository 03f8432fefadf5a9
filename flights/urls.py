"""Addresses of the public: pages and the query API."""

from django.urls import path

from . import pages
from .api import TableView
from .catalogue import TableList
from .dynamic_query import DynamicQuery
from .tables import TABLES

urlpatterns = [
    path("", pages.home),
    path("api/", TableList.as_view(), name="tables"),
    path("api/dynamic_query", DynamicQuery.as_view({"get": "list"}), name="dynamic_query"),
    *(
        path(
            f"api/{model._meta.db_table}/",
            TableView.as_view(
                {"get": "list"},
                model=model,
                name=str(model._meta.verbose_name).capitalize(),
                description=model.__doc__,
            ),
            name=model._meta.db_table,
        )
        for model in TABLES
    ),
]
