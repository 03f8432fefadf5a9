"""Users of the first AirSense's load test and of the API, for Locust in .venv-bench."""

import json
import os
import random
from typing import Any

from locust import FastHttpUser, between, task

PAGES = ("/", "/explorer", "/about", "/chat")
HEADERS = json.loads(os.environ.get("HEADERS", "{}"))
TABLES = ("airline_performance", "busiest_airports_by_delays", "delays_by_day")
WORDS = ("boston", "delta", "new york", "chicgo", "united newark", "monday", "2013-02-14")
CITIES = ("Newark, NJ", "New York, NY", "Boston, MA", "Chicago, IL", "Atlanta, GA", "Miami, FL")


class Visitor(FastHttpUser):
    """Reads a page, thinks 1 to 5 seconds, reads another; `/chat` leads to the explorer."""

    wait_time = between(1, 5)

    @task
    def page(self) -> None:
        self.client.get(random.choice(PAGES), headers=HEADERS)


class Developer(FastHttpUser):
    """Asks the API: some questions are everybody's, some nobody asked before."""

    wait_time = between(1, 5)
    etag = ""

    def ask(self, path: str, name: str, **headers: str) -> Any:
        return self.client.get(path, name=name, headers={**HEADERS, **headers})

    @task(4)
    def dynamic_query(self) -> None:
        path = (
            f"/api/dynamic_query?table_name={random.choice(TABLES)}&limit={random.randint(1, 20)}"
        )
        self.ask(path, "dynamic_query")

    @task(2)
    def new_query(self) -> None:
        least = f"Avg_Departure_Delay__gte={random.uniform(0, 20):.9f}"
        self.ask(f"/api/busiest_airports_by_delays/?{least}&limit=10", "viewset, a new query")

    @task(2)
    def search(self) -> None:
        self.ask(f"/api/search?q={random.choice(WORDS)}", "search")

    @task(4)
    def poll(self) -> None:
        """304 from the second time on."""
        path = "/api/delays_by_day/"
        known = {"If-None-Match": self.etag} if self.etag else {}
        self.etag = self.ask(path, "poll", **known).headers.get("ETag", self.etag)

    @task(1)
    def file(self) -> None:
        city = f"Origin_City={random.choice(CITIES)}&Flight_Date=2013-02-14"
        self.ask(f"/api/flight_delay_data/?{city}&format=csv", "a small CSV file")
