"""`/api/graphiql`: write GraphQL queries with completion and documentation, in the browser."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from flights.pages.formatting import address

EXAMPLE = """# The three destinations with the longest delays and at least 1,000 late arrivals
{
  busiest_airports_by_delays(
    where: {Total_Arrivals: {gte: 1000}}
    order_by: "-Avg_Arrival_Delay"
    limit: 3
  ) {
    version
    rows {
      City
      Total_Arrivals
      Avg_Arrival_Delay
    }
  }
}
"""


@require_safe
@cache_control(public=True, max_age=3600)
def page(request: HttpRequest) -> HttpResponse:
    link = address("/api/graphql", {"query": EXAMPLE})
    return render(request, "api/graphiql.html", {"example": EXAMPLE, "link": link})
