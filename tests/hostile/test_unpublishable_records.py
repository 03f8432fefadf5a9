"""One record must not stop all publishing: texts that are too long for PostgreSQL's indexes."""

import random
import string
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import DatabaseError, connections

from flights import sqlstates
from tests.fault_probes import database, last, queue_transfer, worker
from tests.platform import Platform, Site, until

TABLE = "flight_delay_data"
NORMAL = ["Alpha Air", "Beta Air", "Zeta Air"]


def incompressible(characters: int, seed: int = 1) -> str:
    """A text that PostgreSQL cannot make shorter: its indexes compress what they can."""
    letters = random.Random(seed).choices(string.ascii_letters, k=characters)  # noqa: S311
    return "".join(letters)


def flights(names: list[str], day: int = 1) -> str:
    return "\n".join(
        f'2013-01-{day:02},"{name}",A {name[:5]},B,{n},5' for n, name in enumerate(names)
    )


def rows(site: Site, query: str) -> list[dict[str, Any]]:
    response = site.get(f"/api/{TABLE}/?{query}")
    assert response.status == 200, response.body
    return list(response.json()["results"])


def names(site: Site, query: str) -> list[str]:
    return [row["Airline_Name"] for row in rows(site, query)]


def pages(site: Site, query: str) -> list[str]:
    """The names of all pages, from link to link."""
    rows, link = list[str](), f"?{query}&cursor="
    while link:
        response = site.get(f"/api/{TABLE}/{link}")
        assert response.status == 200, response.body[:500]
        rows += [row["Airline_Name"] for row in response.json()["results"]]
        link = response.json()["next"]
    return rows


def test_a_text_that_no_index_can_hold_is_published_and_queried_as_any_other(
    fresh: Platform,
) -> None:
    long = [
        incompressible(2_750),
        "é" * 1_400 + incompressible(2_000, 3),
        incompressible(100_000, 2),
    ]
    every = [name for name in [*NORMAL, *long] for _ in range(2)]
    fresh.ingest(flights(every))
    fresh.manage("transfer", TABLE, "airline_performance")
    with fresh.site(processes=1) as site:
        assert names(site, f"Airline_Name={quote(long[0])}") == [long[0]] * 2
        assert names(site, f"Airline_Name__startswith={long[2][:500]}") == [long[2]] * 2
        assert names(site, "Airline_Name__lt=Beta%20Air") == sorted(
            name for name in every if name < "Beta Air"
        )
        assert names(site, "order_by=Airline_Name") == sorted(every)
        assert names(site, "order_by=-Airline_Name") == sorted(every, reverse=True)
        assert pages(site, "order_by=Airline_Name&limit=1") == sorted(every)
        assert pages(site, "order_by=-Airline_Name&limit=5") == sorted(every, reverse=True)
        assert len(site.get(f"/api/{TABLE}/?format=csv").body.splitlines()) == len(every) + 1
        result = site.get(f"/api/search?q={long[0][:90]}&table={TABLE}").json()["tables"][0]
        assert [value["value"] for value in result["values"]] == [long[0]]
        assert len(result["rows"]) == 2
        averages = site.get("/api/airline_performance/?columns=Airline_Name").json()["results"]
        assert {row["Airline_Name"] for row in averages} == set(every)


def test_a_text_of_megabytes_is_in_the_files_of_columns(fresh: Platform) -> None:
    fresh.env |= {"INGEST_LINE_BYTES": "4000000"}
    every = ["Alpha Air", incompressible(3_000_000)]
    fresh.ingest(flights(every))
    fresh.manage("transfer", TABLE)
    with fresh.site(processes=1) as site:
        query = f"/api/{TABLE}/?columns=Airline_Name&order_by=Airline_Name"
        for format_, read in (("parquet", pq.read_table), ("arrow", read_stream)):
            response = site.get(f"{query}&format={format_}")
            assert response.status == 200, response.body
            assert read(pa.BufferReader(response.body))["Airline_Name"].to_pylist() == every


def read_stream(file: pa.BufferReader) -> pa.Table:
    return pa.ipc.open_stream(file).read_all()


def test_normal_values_keep_their_indexes_beside_a_long_text(fresh: Platform) -> None:
    every = [name for name in NORMAL for _ in range(3_000)] + [incompressible(9_000)]
    fresh.ingest(flights(every))
    fresh.manage("transfer", TABLE)
    with database(fresh) as connection:
        for condition in ("WHERE \"Airline_Name\" = 'Beta Air'", ""):
            order = 'ORDER BY "Airline_Name", "Flight_Date", id LIMIT 10'
            plan = connection.execute(
                f"EXPLAIN SELECT * FROM {TABLE}__v1 {condition} {order}"
            ).fetchall()
            lines = [line for (line,) in plan]
            assert any("Index" in line and f"on {TABLE}__v1 " in line for line in lines), lines
            assert not any(f"Seq Scan on {TABLE}__v1 " in line for line in lines), lines


@pytest.mark.deep
def test_later_versions_keep_the_long_text_and_are_pruned_with_all_their_relations(
    fresh: Platform,
) -> None:
    fresh.env["VERSIONS_KEPT"] = "2"
    long = incompressible(5_000)
    fresh.ingest(flights([*NORMAL, long]))
    fresh.manage("transfer", TABLE)
    for day in range(2, 5):
        fresh.ingest(flights(NORMAL, day), "--append")
        fresh.manage("transfer", TABLE)
        assert (last(fresh)["mode"], last(fresh)["status"]) == ("append", "succeeded")
    with fresh.site(processes=1) as site:
        assert names(site, "order_by=Airline_Name") == sorted([*NORMAL * 4, long])
    with database(fresh) as connection:
        remaining = connection.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '__v\\d+__long$'"
        )
        assert len(remaining.fetchall()) == 2


@pytest.mark.deep
def test_a_table_of_nothing_but_long_texts_is_published(fresh: Platform) -> None:
    every = [incompressible(3_000, seed) for seed in range(50)]
    fresh.ingest(flights(every))
    fresh.manage("transfer", "--all")
    with fresh.site(processes=1) as site:
        assert names(site, "order_by=-Airline_Name") == sorted(every, reverse=True)
        assert site.get(f"/api/{TABLE}/?count=exact&limit=1").headers["x-airsense-count"] == "50"


def refuse_indexes(platform: Platform, code: str) -> None:
    """Let PostgreSQL raise an error of this SQLSTATE where an index is made."""
    with database(platform) as connection:
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS"
            f" $$BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END$$"
        )
        connection.execute(
            "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE INDEX')"
            " EXECUTE FUNCTION refuse()"
        )


@pytest.mark.parametrize(
    ("code", "attempts"),
    [("54000", 1), pytest.param("22023", 1, marks=pytest.mark.deep), ("40P01", 2)],
)
def test_only_temporary_database_errors_are_retried(
    fresh: Platform, code: str, attempts: int
) -> None:
    fresh.env["TRANSFER_ATTEMPTS"] = "2"
    fresh.ingest(flights(NORMAL))
    refuse_indexes(fresh, code)
    with worker(fresh):
        queue_transfer(fresh)
        until(lambda: last(fresh)["status"] == "failed", seconds=60)
    assert last(fresh)["attempt"] == attempts
    assert "refused" in last(fresh)["error"]


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        *[(code, True) for code in ("08006", "25006", "40001", "40P01", "53200", "53300")],
        *[(code, True) for code in ("55006", "55P03", "57P01", "57P03", "58030")],
        *[(code, False) for code in ("22001", "22P05", "23505", "23514", "42P01", "42501")],
        *[(code, False) for code in ("0A000", "53400", "54000", "54001", "55000", "57014")],
        *[(code, False) for code in ("57P04", "XX000", "XX001")],
    ],
)
def test_every_class_of_postgresql_errors_is_temporary_or_permanent(
    demo: Platform, code: str, *, passes: bool
) -> None:
    raised = f"DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END$$"
    with pytest.raises(DatabaseError) as caught, connections["default"].cursor() as cursor:
        cursor.execute(raised)
    assert sqlstates.is_transient(caught.value) is passes
