"""Jobs that people start in the admin: uploads that they confirm, and months."""

import html
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from airsense import data_folder
from tests import dot_server
from tests.platform import Platform
from tests.test_admin import INGEST, client, upload_token
from transfers.models import WarehouseJob

MAPPING = """
[columns]
Flight_Date = "when"
Airline_Name = "who"
Origin_City = "from"
Destination_City = "to"
Departure_Delay_Minutes = "late"
"""


def uploads() -> set[Path]:
    return set((data_folder.folder() / "uploads").glob("*"))


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
    answer = client("operator").post(INGEST, {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 400
    assert says in html.unescape(answer.content.decode())
    assert uploads() == before


def test_a_forged_or_old_token_is_refused(demo: Platform) -> None:
    answer = client("operator").post(INGEST, {"upload": "x", "kind": "append"}, follow=True)
    assert "Upload it again." in answer.content.decode()
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
    assert "download: 2024-03-05T06:07:08Z" in page
    job.delete()
