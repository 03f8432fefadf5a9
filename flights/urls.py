"""URLs of the public pages and the public API."""

from django.urls import include, path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from .api.ask import Ask
from .api.catalogue import TableDescription, TableList
from .api.chat import Chat
from .api.dynamic_query import DynamicQuery
from .api.exports import ExportFile, Exports, OneExport
from .api.views import TableView
from .graphql.view import GraphQL
from .mcp.view import Endpoint
from .pages import ask, views
from .pages.api import graphiql
from .pages.api.front import FrontPage
from .pages.citations import views as citations
from .pages.explorer.view import explorer
from .pages.home.trip import my_flight
from .pages.home.view import home
from .pages.search import search_page
from .search.suggest import Suggest
from .search.views import AdvancedSearch, Search
from .tables import TABLES
from .web import filter_page, redoc
from .web.renderers import JSON
from .web.short_openapi import ShortGenerator

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
    path("", home, name="home"),
    path("my-flight", my_flight, name="my_flight"),
    path("citations/<slug:name>/", citations.show, name="citation"),
    path("embed/<slug:name>", citations.embed, name="embed"),
    path("explorer", explorer, name="explorer"),
    path("", include("flights.pages.places.urls")),
    path("search", search_page, name="search_page"),
    path("about", views.about, name="about"),
    path("ask", ask.ask, name="ask"),
    path("chat", ask.chat, name="chat"),
    path("api/", TableList.as_view(renderer_classes=[JSON, FrontPage]), name="tables"),
    path("api/schema", cache_page(3600)(SpectacularAPIView.as_view()), name="schema"),
    path(
        "api/schema/short",
        cache_page(3600)(SpectacularAPIView.as_view(generator_class=ShortGenerator)),
        name="short_schema",
    ),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="short_schema"), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(url_name="short_schema"), name="redoc"),
    path("api/redoc.js", redoc.script, name="redoc_script"),
    *(
        path(
            f"api/{model._meta.db_table}/filter",
            filter_page.Submitted.as_view(model=model),
            name=f"{model._meta.db_table}_filter",
        )
        for model in TABLES
    ),
    path("api/search", Search.as_view(), name="search"),
    path("api/search/suggest", Suggest.as_view(), name="search_suggest"),
    path("api/graphql", GraphQL.as_view(), name="graphql"),
    path("api/graphiql", graphiql.page, name="graphiql"),
    path("api/advanced_search", AdvancedSearch.as_view(), name="advanced_search"),
    path("api/chat", Chat.as_view(), name="ask_chat"),
    path("api/ask", Ask.as_view(), name="ask_api"),
    path("mcp", Endpoint.as_view(), name="mcp"),
    *(
        path(
            f"api/{model._meta.db_table}/describe",
            TableDescription.as_view(model=model),
            name=f"{model._meta.db_table}_described",
        )
        for model in TABLES
    ),
]
