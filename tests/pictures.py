"""Take the pictures of README.md and docs/ from a running demo, signed in as `admin`.

python -m tests.pictures http://127.0.0.1:8000 PASSWORD
"""

import sys

from playwright.sync_api import Page

from airsense.data_folder import PROJECT
from tests.browser import chromium

FOLDER = PROJECT / "docs" / "pictures"
GROUPS = (
    "group_by=Airline_Name&aggregate=count,avg:Arrival_Delay_Minutes"
    "&order_by=-avg_Arrival_Delay_Minutes"
)
# The name of each picture, its address, width and height in pixels.
PUBLIC = [
    ("home", "/", 1200, 1130),
    ("route", "/routes/JFK-MCO/?airline=B6", 1200, 1100),
    ("airport", "/airports/LGA/", 1200, 1000),
    ("ask", "/ask?q=worst+airline+on+Fridays+from+Newark", 1100, 950),
    ("explorer", f"/explorer?table=flight_delay_data&{GROUPS}&view=chart", 1200, 1300),
]
ADMIN = [
    ("dashboard", "/admin/", 1300, 900),
    ("schedules", "/admin/django_celery_beat/periodictask/", 1300, 420),
    ("transfers", "/admin/transfers/transfer/", 1300, 560),
    ("versions", "/admin/flights/tableversion/", 1300, 620),
]


def main(url: str, password: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    with chromium() as browser:
        page = browser.new_context(base_url=url, color_scheme="light").new_page()
        for picture in PUBLIC:
            _take(page, *picture)
        page.goto("/admin/login/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        for picture in ADMIN:
            _take(page, *picture)


def _take(page: Page, name: str, address: str, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
