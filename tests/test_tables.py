"""Every table appears in every interface."""

from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command

from flights.mirror import MirroredTable, public
from flights.models import TableVersion, mirrored
from flights.query import operators, values
from flights.tables import TABLES
from tests.platform import Platform, Site
from tests.samples import Sample
from transfers.load import columns

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table._meta.db_table)


def test_every_table_is_listed_once() -> None:
    classes = [m for m in apps.get_models() if m.__module__.startswith(mirrored.__name__)]
    assert sorted(TABLES, key=repr) == sorted(classes, key=repr)


def test_generated_documents_are_up_to_date() -> None:
    call_command("document", check=True)


@each_table
def test_every_column_has_a_description_and_a_supported_type(table: type[MirroredTable]) -> None:
    assert all(field.help_text for field in table.columns())
    assert columns.schema(table).names == [public(field) for field in table.columns()]


@each_table
def test_a_table_is_registered_in_the_admin(table: type[MirroredTable]) -> None:
    assert admin.site.is_registered(table)


@each_table
def test_the_list_of_tables_describes_the_published_version(
    table: type[MirroredTable], site: Site
) -> None:
    description = {entry["table"]: entry for entry in site.get("/api/").json()}[
        table._meta.db_table
    ]
    current = TableVersion.objects.get(published__table=table._meta.db_table)
    assert description["version"] == current.number
    assert description["rows"] > 0
    assert [column["name"] for column in description["columns"]] == columns.schema(table).names
    assert site.get(description["url"] + "?limit=1").status == 200


@each_table
def test_every_operator_of_every_column_answers(
    table: type[MirroredTable], site: Site, sample: Sample
) -> None:
    (row,) = site.get(f"/api/{table._meta.db_table}/?limit=1").json()["results"]
    conditions = [(field, name) for field in table.columns() for name in operators.names(field)]
    for field, lookup in sample.of(conditions):
        example = row[public(field)]
        if example is None:
            example = values.sample(field)
        value = "false" if lookup == "isnull" else quote(str(example))
        path = f"/api/{table._meta.db_table}/?limit=1&{public(field)}__{lookup}={value}"
        assert site.get(path).status == 200, path


@each_table
def test_a_table_can_be_sorted_by_every_column_both_ways(
    table: type[MirroredTable], site: Site, sample: Sample
) -> None:
    orders = [f"{sign}{name}" for name in columns.schema(table).names for sign in ("", "-")]
    for order in sample.of(orders):
        path = f"/api/{table._meta.db_table}/?limit=1&order_by={order}"
        assert site.get(path).status == 200, path


@each_table
def test_the_sql_view_of_a_table_shows_the_published_version(
    table: type[MirroredTable], demo: Platform, site: Site
) -> None:
    count = table._default_manager.using("reader").count()
    described = {entry["table"]: entry["rows"] for entry in site.get("/api/").json()}
    assert count == described[table._meta.db_table]
