"""Transfers that read only rows added or changed since the last version."""

import itertools
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models
from pytest_django import Settings

from flights.mirror import Mirror, MirroredTable
from flights.models import PublishedTable, TableVersion
from flights.quality import WARN, InRange, Unique
from tests.platform import Platform
from tests.warehouse.running import WarehouseServer
from transfers.load import publication, retention
from transfers.models import Transfer
from transfers.run import pipeline, source_reader
from transfers.run.progress import Progress
from transfers.run.quality import Inspection
from transfers.warehouses import Warehouse, connect

FLIGHTS = "2013-01-07,Alpha,A,B,10,20\n2013-01-08,Beta,B,A,-5,"


class Parcel(MirroredTable):
    """A table that is merged by key and sorted by another column."""

    code = models.TextField()
    weight = models.IntegerField(null=True)

    mirror = Mirror(
        order=("-weight", "code"),
        key=("code",),
        by_changes=True,
        checks=(Unique(("code",)), InRange(("weight",), greatest=2, severity=WARN)),
    )

    class Meta(MirroredTable.Meta):
        app_label = "tests"
        db_table = "parcels"


@pytest.fixture
def parcels(
    warehouse_server: WarehouseServer, settings: Settings, tmp_path: Path
) -> Iterator[Warehouse]:
    """A warehouse with a table of parcels, whose changes are recorded."""
    call_command("migrate", verbosity=0)
    own = warehouse_server.schema(f"parcels_{next(NUMBERS)}")
    own.configure(settings)
    warehouse = connect(own.url)
    make(warehouse)
    yield warehouse
    PublishedTable.objects.filter(table="parcels").delete()
    for version in TableVersion.objects.filter(table="parcels"):
        retention._drop(version)


NUMBERS = itertools.count()


def make(warehouse: Warehouse) -> None:
    run(
        warehouse,
        "CREATE OR REPLACE TABLE parcels (code STRING, weight INT)",
        "ALTER TABLE parcels SET TBLPROPERTIES (delta.enableChangeDataFeed = true)",
        "INSERT INTO parcels VALUES ('a', 1), ('b', 2), ('c', NULL), ('\u00e9', 2), ('Z', 2)",
    )


def run(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.change() as change:
        for statement in statements:
            change.execute(statement)


def transferred(
    warehouse: Warehouse, model: type[MirroredTable] = Parcel, **values: Any
) -> Transfer:
    """A transfer of the parcels, published."""
    transfer = Transfer(table="parcels", claim=uuid.uuid4(), status="succeeded", **values)
    with (
        Progress([]) as progress,
        source_reader.snapshot(warehouse, "parcels", progress.check) as source,
    ):
        progress.begin(transfer)
        inspection = Inspection(warehouse, progress.check)
        version = pipeline.load_version(model, transfer, source, progress, inspection)
        assert version
        publication.publish([version])
    return transfer


def rows() -> list[tuple[Any, ...]]:
    version = TableVersion.objects.get(published__table="parcels")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {version.relation} ORDER BY id")
        return list(cursor.fetchall())


def test_changed_rows_are_merged_and_deletes_are_carried(parcels: Warehouse) -> None:
    assert transferred(parcels).mode == Transfer.Mode.SNAPSHOT
    run(
        parcels,
        "UPDATE parcels SET weight = 9 WHERE code = 'a'",
        "DELETE FROM parcels WHERE code = 'b'",
        "INSERT INTO parcels VALUES ('d', NULL), ('b2', 2)",
        "UPDATE parcels SET weight = 3 WHERE code = 'a'",
        "DELETE FROM parcels WHERE code = 'b2'",
        "OPTIMIZE parcels",
    )
    merged = transferred(parcels)
    assert (merged.mode, merged.rows_done) == (Transfer.Mode.MERGE, 4)
    assert merged.notes == [
        "check failed: weight at most 2: not so in 1 row; the first: code a, weight 3"
    ]
    assert merged.checks
    assert [check["status"] for check in merged.checks] == ["passed", "failed"]
    after = rows()
    assert transferred(parcels, forced=True).mode == Transfer.Mode.SNAPSHOT
    assert after == rows()
    assert [code for _, code, _ in after] == ["c", "d", "a", "Z", "\u00e9"]


def test_a_recreated_table_is_read_completely(parcels: Warehouse) -> None:
    transferred(parcels)
    make(parcels)
    run(parcels, "DROP TABLE parcels")
    make(parcels)
    run(parcels, "INSERT INTO parcels VALUES ('x', 1)")
    done = transferred(parcels)
    assert done.mode == Transfer.Mode.SNAPSHOT
    assert "as merge failed: parcels was created again after version" in done.notes[0]
    assert len(rows()) == 6


def test_a_table_without_a_change_feed_is_read_completely(parcels: Warehouse) -> None:
    transferred(parcels)
    run(parcels, "ALTER TABLE parcels SET TBLPROPERTIES (delta.enableChangeDataFeed = false)")
    run(parcels, "DELETE FROM parcels WHERE code = 'a'")
    done = transferred(parcels)
    assert done.mode == Transfer.Mode.SNAPSHOT
    assert "DELTA_MISSING_CHANGE_DATA" in done.notes[0]
    assert len(rows()) == 4


def test_the_seconds_of_a_mode_that_failed_count(
    warehouse_server: WarehouseServer, parcels: Warehouse
) -> None:
    transferred(parcels)
    run(parcels, "ALTER TABLE parcels SET TBLPROPERTIES (delta.enableChangeDataFeed = false)")
    run(parcels, "DELETE FROM parcels WHERE code = 'a'")
    warehouse_server.fault("ExecuteStatement", "slow", sql="table_changes", seconds=1)
    assert transferred(parcels).seconds["copying"] >= 1


def test_a_growing_table_is_read_from_its_greatest_value_on(fresh: Platform) -> None:
    fresh.ingest(FLIGHTS)
    fresh.manage("transfer", "flight_delay_data")
    fresh.ingest("2013-01-09,Gamma,C,A,7,7\n2013-01-09,Alpha,C,A,7,7", "--append")
    assert "flight_delay_data/2: 2 of 4 rows" in fresh.manage("transfer", "flight_delay_data")
    ask = (
        "from transfers.models import *;"
        " t = Transfer.objects.filter(table='flight_delay_data').first(); print(t.mode, t.notes)"
    )
    release = r"append \['2013-01: raw.csv, release \w+, ingested .*'\]\n"
    assert re.fullmatch(release, fresh.python(ask))
    with fresh.site(processes=1) as site:
        body = site.get("/api/flight_delay_data/?columns=Airline_Name").json()
        assert [row["Airline_Name"] for row in body["results"]] == [
            *("Alpha", "Beta", "Alpha", "Gamma")
        ]
    fresh.ingest("2013-01-01,Late,C,A,7,7\n2013-01-10,Gamma,C,A,7,7", "--append")
    assert "flight_delay_data/3: 6 rows" in fresh.manage("transfer", "flight_delay_data")
    output = fresh.python(ask)
    assert output.startswith(
        "snapshot ['all rows were read, as append failed: flight_delay_data: the"
    )


def grown(*names: str) -> type[MirroredTable]:
    """A growing table of parcels with its columns in this order."""
    columns: dict[str, Any] = {"code": models.TextField, "weight": models.IntegerField}
    meta = {"app_label": "tests", "db_table": "parcels"}
    body = {
        "__module__": __name__,
        "mirror": Mirror(order=("weight",), grows_by="weight"),
        "Meta": type("Meta", (MirroredTable.Meta,), meta),
        **{name: columns[name]() for name in names},
    }
    return type(f"Grown{next(NUMBERS)}", (MirroredTable,), body)


def test_columns_may_change_their_order_in_the_model_of_a_growing_table(
    parcels: Warehouse,
) -> None:
    run(parcels, "CREATE OR REPLACE TABLE parcels AS SELECT 'a' AS code, 1 AS weight")
    transferred(parcels, grown("code", "weight"))
    run(parcels, "INSERT INTO parcels VALUES ('b', 2)")
    done = transferred(parcels, grown("weight", "code"))
    assert (done.mode, done.notes) == (Transfer.Mode.APPEND, [])
    assert rows() == [(1, 1, "a"), (2, 2, "b")]


@pytest.mark.parametrize(
    ("mirror", "problem"),
    [
        (Mirror(order=("code",), grows_by="weight"), "grows_by is not the first column"),
        (Mirror(order=("code",), by_changes=True), "by_changes needs a key"),
        (Mirror(order=("code",), key=("code",), grows_by="code", by_changes=True), "choose one"),
        (Mirror(order=("code",), json=("code", "weight")), "'weight' in json, which is not"),
    ],
)
def test_a_mode_that_cannot_work_is_refused_by_the_checks(mirror: Mirror, problem: str) -> None:
    wrong = type(
        f"Wrong{next(NUMBERS)}",
        (Parcel,),
        {
            "__module__": __name__,
            "mirror": mirror,
            "Meta": type("Meta", (MirroredTable.Meta,), {"app_label": "tests", "abstract": True}),
        },
    )
    assert issubclass(wrong, MirroredTable)
    assert [e.id for e in wrong.check() if problem in str(e.msg)] == [
        "flights.E006" if mirror.json else "flights.E003"
    ]
