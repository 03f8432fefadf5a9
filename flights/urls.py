"""Addresses of the public: pages and the query API."""

from django.urls import path
from django.views.generic import RedirectView

from . import pages
from .api import TableView
from .catalogue import TableList
from .dynamic_query import DynamicQuery
from .explorer.view import explorer
from .search import AdvancedSearch, Search
from .tables import TABLES

urlpatterns = [
    path("", pages.home, name="home"),
    path("explorer", explorer, name="explorer"),
    path("about", pages.about, name="about"),
    path("chat", RedirectView.as_view(pattern_name="explorer")),
    path("api/", TableList.as_view(), name="tables"),
    path("api/search", Search.as_view(), name="search"),
    path("api/advanced_search", AdvancedSearch.as_view(), name="advanced_search"),
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
