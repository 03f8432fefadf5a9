"""URLs of the public pages and the public API."""

from django.urls import path
from django.views.decorators.cache import cache_page
from django.views.generic import RedirectView
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from .api.catalogue import TableDescription, TableList
from .api.chat import Chat
from .api.dynamic_query import DynamicQuery
from .api.exports import ExportFile, Exports, OneExport
from .api.views import TableView
from .graphql.view import GraphQL
from .pages import views
from .pages.explorer.view import explorer
from .search.views import AdvancedSearch, Search
from .tables import TABLES
from .web import redoc

urlpatterns = [
    # The most frequent URLs come first, because Django tries them one after the other.
    path("api/dynamic_query", DynamicQuery.as_view({"get": "list"}), name="dynamic_query"),
    path("api/exports/", Exports.as_view(), name="exports"),
    path("api/exports/<uuid:pk>", OneExport.as_view(), name="export"),
    path("api/exports/<uuid:pk>/file", ExportFile.as_view(), name="export_file"),
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
    path("", views.home, name="home"),
    path("explorer", explorer, name="explorer"),
    path("about", views.about, name="about"),
    path("chat", RedirectView.as_view(pattern_name="explorer")),
    path("api/", TableList.as_view(), name="tables"),
    path("api/schema", cache_page(3600)(SpectacularAPIView.as_view()), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(), name="redoc"),
    path("api/redoc.js", redoc.script, name="redoc_script"),
    path("api/search", Search.as_view(), name="search"),
    path("api/graphql", GraphQL.as_view(), name="graphql"),
    path("api/advanced_search", AdvancedSearch.as_view(), name="advanced_search"),
    path("api/chat", Chat.as_view(), name="ask_chat"),
    *(
        path(
            f"api/{model._meta.db_table}/describe",
            TableDescription.as_view(model=model),
            name=f"{model._meta.db_table}_described",
        )
        for model in TABLES
    ),
]
