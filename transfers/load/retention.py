"""Drop the versions of mirrored tables that nobody needs any more."""

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Q
from psycopg import sql
from psycopg.errors import LockNotAvailable

from flights.mirror import MirroredTable
from flights.models import Export, TableVersion

from .statements import execute

# How long DROP TABLE waits for readers. New readers queue behind it meanwhile.
PRUNE_LOCK_TIMEOUT = "50ms"


def prune(model: type[MirroredTable]) -> None:
    """Drop all versions but the last VERSIONS_KEPT, the current one and those of active exports.

    A version that is being read stays until a later call. The caller makes sure that no transfer of
    the table is running.
    """
    versions = TableVersion.objects.filter(table=model._meta.db_table)
    published = versions.filter(published_at__isnull=False)
    exported = Export.objects.filter(table=model._meta.db_table, status__in=Export.ACTIVE)
    latest = published.order_by("-number")[: settings.VERSIONS_KEPT].values_list("pk", flat=True)
    in_use = Q(pk__in=list(latest)) | Q(number__in=list(exported.values_list("number", flat=True)))
    for version in versions.exclude(in_use).filter(published=None):
        try:
            _drop(version)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise


def _drop(version: TableVersion) -> None:
    with transaction.atomic():
        execute("SET LOCAL lock_timeout = {}", sql.Literal(PRUNE_LOCK_TIMEOUT))
        for relation in (version.long_rows, version.relation, version.dictionary):
            execute("DROP TABLE IF EXISTS {}", sql.Identifier(relation))
        version.delete()
