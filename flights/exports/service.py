"""Requests for exports: checked like any query, then made by a worker (`worker`)."""

import logging
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import QueryDict

from flights import versions
from flights.errors import BadQuery, TooMany
from flights.mirror import MirroredTable
from flights.models import Export, Requester, TableVersion
from flights.query import params
from flights.query.query import Query

from . import retention
from .files import File
from .formats import FORMATS
from .retention import STORAGE

LONGEST_QUERY = 8_192  # characters; no web server reads a longer address
NOT_FOR_FILES = ("format", "cursor", "count", "facets")
ONE_AT_A_TIME = "exports"  # so that two requests for the same file make one
log = logging.getLogger(__name__)


def get_or_create(model: type[MirroredTable], text: str, format_: str, by: Requester) -> Export:
    """The export of a query of the current version: an existing one, or a new one.

    Raises BadQuery if the query API would, and TooMany if the requester has too many exports.
    """
    version = versions.current(model)
    text = canonical(text)
    file(model, text, format_, version)
    same = Export.objects.filter(
        table=version.table, number=version.number, query=text, format=format_
    )
    _expire_lost(same)
    with transaction.atomic():
        _one_at_a_time()
        alive = same.filter(status__in=[*Export.ACTIVE, Export.Status.DONE])
        if export := alive.select_for_update().first():
            _keep_longer(export)
        else:
            _refuse_too_many(by)
            export = Export.objects.create(
                table=version.table, number=version.number, query=text, format=format_
            )
        Requester.objects.get_or_create(export=export, user=by.user, key_id=by.key_id)
    return export


def file(model: type[MirroredTable], text: str, format_: str, version: TableVersion) -> File:
    """The file of a query; BadQuery if the query API would refuse it."""
    values = params.read(QueryDict(text).lists())
    if format_ not in FORMATS:
        raise BadQuery(f"There is no format {format_[:40]!r}.", list(FORMATS))
    if useless := [name for name in NOT_FOR_FILES if name in values]:
        raise BadQuery(f"{useless[0]} has no effect on an export. Leave it out.")
    return File(FORMATS[format_], Query.read(model, values), version)


def canonical(text: str) -> str:
    """The same parameters in one order and spelling."""
    if len(text) > LONGEST_QUERY:
        raise BadQuery(f"The query has {len(text):,} characters; the limit is {LONGEST_QUERY:,}.")
    try:
        query = QueryDict(text.strip().removeprefix("?"))
        return urlencode([(name, v) for name in sorted(query) for v in query.getlist(name)])
    except UnicodeError:
        raise BadQuery("The query is not Unicode text.") from None


def _expire_lost(same: "retention.Exports") -> None:
    """Expire exports whose file is missing in the storage, so that it is made again."""
    for done in same.filter(status=Export.Status.DONE):
        try:
            if not STORAGE.exists(done.stored):
                retention.expire(done)
        except OSError as error:
            log.warning("cannot tell whether the storage has %s: %s", done.stored, error)


def _keep_longer(export: Export) -> None:
    if export.status == Export.Status.DONE:
        export.expires_at = Now() + timedelta(hours=settings.EXPORTS_KEPT_HOURS)
        export.save(update_fields=["expires_at"])
        export.refresh_from_db(fields=["expires_at"])


def _refuse_too_many(by: Requester) -> None:
    active = by.exports().filter(status__in=Export.ACTIVE).count()
    if active >= settings.EXPORTS_WAITING:
        raise TooMany(f"{active} exports of yours are not done yet. Wait until one is.", 10)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ONE_AT_A_TIME])
