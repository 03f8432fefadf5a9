"""Locust users: visitors of the first AirSense's load test, and developers who use the API."""

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
    """Reads pages with pauses of 1 to 5 seconds. `/chat` redirects to the explorer."""

    wait_time = between(1, 5)

    @task
    def page(self) -> None:
        self.client.get(random.choice(PAGES), headers=HEADERS)


class Developer(FastHttpUser):
    """Sends queries to the API, popular ones and new ones."""

    wait_time = between(1, 5)
    etag = ""

    def get(self, path: str, name: str, **headers: str) -> Any:
        return self.client.get(path, name=name, headers={**HEADERS, **headers})

    @task(4)
    def dynamic_query(self) -> None:
        path = (
            f"/api/dynamic_query?table_name={random.choice(TABLES)}&limit={random.randint(1, 20)}"
        )
        self.get(path, "dynamic_query")

    @task(2)
    def new_query(self) -> None:
        condition = f"Avg_Departure_Delay__gte={random.uniform(0, 20):.9f}"
        self.get(f"/api/busiest_airports_by_delays/?{condition}&limit=10", "viewset, a new query")

    @task(2)
    def search(self) -> None:
        self.get(f"/api/search?q={random.choice(WORDS)}", "search")

    @task(4)
    def poll(self) -> None:
        """Gets a 304 from the second time on."""
        path = "/api/delays_by_day/"
        condition = {"If-None-Match": self.etag} if self.etag else {}
        self.etag = self.get(path, "poll", **condition).headers.get("ETag", self.etag)

    @task(1)
    def file(self) -> None:
        city = f"Origin_City={random.choice(CITIES)}&Flight_Date=2013-02-14"
        self.get(f"/api/flight_delay_data/?{city}&format=csv", "a small CSV file")
