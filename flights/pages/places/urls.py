"""URLs of the pages about routes, airlines, airports, flights and days."""

from django.urls import path

from . import airline, airport, compare, connection, day, days, flight, overview, route, sitemap
from .view import view

urlpatterns = [
    path("routes/<str:origin>-<str:destination>/", view(route.build), name="route"),
    path("airlines/<str:code>/", view(airline.build), name="airline"),
    path("airports/<str:code>/", view(airport.build), name="airport"),
    path("flights/<str:airline>-<str:number>/", view(flight.build), name="flight"),
    path("days/<str:day>/", view(day.build), name="day"),
    path("connections/", view(connection.build), name="connections"),
    path("compare/", view(compare.build), name="compare"),
    path("routes/", view(overview.routes), name="routes"),
    path("airlines/", view(overview.airlines), name="airlines"),
    path("airports/", view(overview.airports), name="airports"),
    path("days/", view(days.build), name="days"),
    path("sitemap.xml", sitemap.index, name="sitemap"),
    path("sitemap-<str:section>.xml", sitemap.section, name="sitemap_of"),
    path("robots.txt", sitemap.robots, name="robots"),
]
