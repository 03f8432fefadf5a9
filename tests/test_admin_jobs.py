"""Jobs that people start in the admin: uploads that they confirm, and months."""

import html
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from tests import dot_server
from tests.platform import Platform
from tests.test_admin import INGEST, client, upload_token
from transfers import warehouse_jobs
from transfers.models import Transfer, WarehouseJob
from transfers.warehouses import connect

MAPPING = """
[columns]
Flight_Date = "when"
Airline_Name = "who"
Origin_City = "from"
Destination_City = "to"
Departure_Delay_Minutes = "late"
"""


@pytest.fixture(autouse=True)
def own_uploads(settings: Settings, tmp_path: Path) -> None:
    """Other test processes store uploads at the same time."""
    settings.MEDIA_ROOT = tmp_path / "media"


def uploads() -> set[Path]:
    return set(Path(settings.MEDIA_ROOT, "uploads").glob("*"))


def test_an_upload_is_reported_first_and_ingested_when_it_is_confirmed_once(
    demo: Platform,
) -> None:
    browser, before, stored = client("operator"), WarehouseJob.objects.count(), uploads()
    file = SimpleUploadedFile("april <b>.zip", dot_server.zipped(dot_server.csv(2024, 4)))
    page = browser.post(INGEST, {"file": file})
    text = html.unescape(page.content.decode())
    assert page.status_code == 200
    assert re.search(r"Flight_Date +FlightDate", text)
    assert re.search(r"Arrival_Delay_Minutes +ArrDelay", text)
    assert "Airline_Name" in text
    assert "april &lt;b&gt;.zip" in page.content.decode()
    assert WarehouseJob.objects.count() == before
    assert len(uploads() - stored) == 1
    confirmed = {"upload": upload_token(page), "kind": "months"}
    assert browser.post(INGEST, confirmed).status_code == 302
    job = WarehouseJob.objects.latest("pk")
    assert (job.kind, job.name, job.status) == ("months", "april <b>.zip", "queued")
    again = browser.post(INGEST, confirmed, follow=True)
    assert "The file is not stored any more" in again.content.decode()
    assert WarehouseJob.objects.count() == before + 1
    job.file.delete()
    job.delete()


def test_a_file_of_an_unknown_form_is_ingested_with_a_mapping_file(demo: Platform) -> None:
    browser = client("operator")
    file = SimpleUploadedFile("mine.csv", b"when,who,from,to,late\n2013-01-01,Alpha,A,B,3\n")
    page = browser.post(INGEST, {"file": file})
    assert page.status_code == 400
    assert "Its columns are when, who, from, to, late." in html.unescape(page.content.decode())
    link = re.search(r'href="(\?mapping=[^"]+)"', page.content.decode())
    assert link
    template = browser.get(INGEST + html.unescape(link[1]))
    assert template.headers["Content-Disposition"] == 'attachment; filename="mine.csv.mapping.toml"'
    assert b"[columns]" in template.content
    assert b'"when": "2013-01-01"' in template.content
    token = upload_token(page)
    refused = browser.post(INGEST, {"upload": token, "kind": "append"})
    assert (refused.status_code, upload_token(refused) != "") == (400, True)
    wrong = SimpleUploadedFile("m.toml", MAPPING.replace("Flight_Date", "Flight_Dat").encode())
    refused = browser.post(INGEST, {"upload": token, "kind": "append", "columns": wrong})
    assert refused.status_code == 400
    assert "Flight_Dat is not a column of the raw records" in refused.content.decode()
    right = SimpleUploadedFile("m.toml", MAPPING.encode())
    page = browser.post(INGEST, {"upload": token, "kind": "append", "columns": right})
    assert page.status_code == 200
    assert re.search(r"Departure_Delay_Minutes +late", page.content.decode())
    assert browser.post(INGEST, {"upload": upload_token(page), "kind": "append"}).status_code == 302
    job = WarehouseJob.objects.latest("pk")
    assert (job.name, job.mapping) == ("mine.csv", MAPPING)
    job.file.delete()
    job.delete()


LIST = b"Code,Description\nWN,Our Airline\n"
RECORDS = (
    "FL_DATE,OP_UNIQUE_CARRIER,OP_CARRIER_FL_NUM,ORIGIN,DEST,CRS_DEP_TIME,DEP_DELAY,ARR_DELAY\n"
    + "2024-04-01,WN,7,BDL,BWI,0600,1,2\n" * 3
)


def test_an_upload_has_the_options_of_the_command(
    demo: Platform, settings: Settings, tmp_path: Path
) -> None:
    """Lists that name the codes, and what to do with repeated flights."""
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}"
    browser, stored = client("operator"), uploads()
    page = browser.post(INGEST, {"file": SimpleUploadedFile("april.csv", RECORDS.encode())})
    lists = {
        "airlines": SimpleUploadedFile("AIRLINES.csv", LIST),
        "airports": SimpleUploadedFile("PORTS.csv", b'Code,Description\nBDL,"Windsor, CT: B"\n'),
    }
    chosen = {"upload": upload_token(page), "kind": "months", "repeated": "drop"}
    wrong = {**chosen, "airlines": SimpleUploadedFile("bad.csv", b"a,b\n1,2\n")}
    refused = browser.post(INGEST, wrong)
    assert refused.status_code == 400
    assert "bad.csv, line 1: its columns are a, b." in html.unescape(refused.content.decode())
    page = browser.post(INGEST, {**chosen, **lists})
    text = html.unescape(page.content.decode())
    assert "AIRLINES.csv: 1 codes of airlines, such as WN: Our Airline." in text
    assert "PORTS.csv: 1 codes of airports, such as BDL: Windsor, CT." in text
    assert len(re.findall(r'value="(?:months|drop)"[^>]*checked', text)) == 2
    assert len(uploads() - stored) == 3
    assert browser.post(INGEST, {**chosen, "upload": upload_token(page)}).status_code == 302
    job = WarehouseJob.objects.latest("pk")
    assert job.options == {"repeated": "drop", "airlines": "AIRLINES.csv", "airports": "PORTS.csv"}
    warehouse_jobs.work()
    job.refresh_from_db()
    assert "2 repeated flights" in job.outcome
    assert uploads() == stored
    with connect(settings.WAREHOUSE_URL).snapshot("raw_flight_records") as source:
        columns = "Airline_Name, Origin_City, Destination_City"
        rows = source.query(f"SELECT {columns} FROM {{source}}").to_pylist()
    assert [list(row.values()) for row in rows] == [["Our Airline", "Windsor, CT", "Baltimore, MD"]]


def test_an_upload_with_repeated_flights_can_be_refused(
    demo: Platform, settings: Settings, tmp_path: Path
) -> None:
    settings.WAREHOUSE_URL = f"duckdb://{tmp_path}"
    browser = client("operator")
    page = browser.post(INGEST, {"file": SimpleUploadedFile("april.csv", RECORDS.encode())})
    chosen = {"upload": upload_token(page), "kind": "append", "repeated": "refuse"}
    assert browser.post(INGEST, chosen).status_code == 302
    warehouse_jobs.work()
    job = WarehouseJob.objects.latest("pk")
    assert (job.status, job.error.split(" (")[0]) == ("failed", "april.csv: 2 repeated flights")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("damaged.zip", b"PK\3\4", "damaged.zip: cannot be read: File is not a zip file."),
        ("empty.csv", b"\n", "empty.csv"),
        ("semicolons.csv", b"a;b\n1;2\n", "semicolons.csv"),
    ],
)
def test_an_upload_that_cannot_be_ingested_is_refused_and_removed(
    demo: Platform, name: str, content: bytes, says: str
) -> None:
    before = uploads()
    response = client("operator").post(INGEST, {"file": SimpleUploadedFile(name, content)})
    assert response.status_code == 400
    assert says in html.unescape(response.content.decode())
    assert uploads() == before


def test_a_forged_or_old_token_is_refused(demo: Platform) -> None:
    response = client("operator").post(INGEST, {"upload": "x", "kind": "append"}, follow=True)
    assert "Upload it again." in response.content.decode()
    assert client("operator").get(f"{INGEST}?mapping=x").status_code == 302


def test_months_are_published_by_hand_in_the_admin(demo: Platform) -> None:
    address = "/admin/transfers/warehousejob/publish/"
    refused = client("operator").post(address, {"months": "2024-01 2024-13"})
    assert refused.status_code == 400
    assert "is not a month. Use 2024-01 or 2024-01..2024-12." in refused.content.decode()
    response = client("operator").post(address, {"months": "2024-01..2024-02 2023-05"})
    assert response.status_code == 302
    job = WarehouseJob.objects.latest("pk")
    assert (job.kind, job.arguments) == ("publish", ["2024-01..2024-02", "2023-05"])
    job.steps = [{"name": "download", "started_at": "2024-03-05T06:07:08Z", "outcome": []}]
    job.save()
    page = (
        client("operator").get(f"/admin/transfers/warehousejob/{job.pk}/change/").content.decode()
    )
    assert re.search(r"download: <time [^>]*>.*5 Mar 2024, 06:07 UTC", page)
    job.delete()


def test_transfers_are_previewed_in_the_admin(demo: Platform) -> None:
    address = "/admin/transfers/transfer/preview/"
    assert client("viewer").get(address).status_code == 403
    browser, before = client("operator"), Transfer.objects.count()
    page = browser.post(address, {"tables": ["airlines", "delays_by_day"]}, follow=True)
    job = WarehouseJob.objects.latest("pk")
    link = f"/admin/transfers/warehousejob/{job.pk}/change/"
    assert f'href="{link}"' in page.content.decode()
    assert str(job) == "preview transfers of airlines, delays_by_day"
    warehouse_jobs.work()
    job.refresh_from_db()
    assert job.status == "succeeded", job.error
    text = html.unescape(browser.get(link).content.decode())
    assert re.search(r"delays_by_day at version .* of the warehouse", text)
    assert "rows: 0 added, 0 removed, 0 changed" in text
    assert re.search(r"checks: \d+ passed", text)
    assert Transfer.objects.count() == before
    job.delete()
