"""Exports that are asked for: checked as any query, then made by a worker (`making`)."""

import logging
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from rest_framework.request import Request

from flights import versions
from flights.api.views import TableView
from flights.errors import BadQuery, Unavailable
from flights.mirror import MirroredTable
from flights.models import Asker, Export, TableVersion
from flights.query import query

from . import files, retention
from .files import File
from .formats import FORMATS
from .retention import STORAGE

LONGEST_QUERY = 8_192  # characters; no web server reads a longer address
NOT_FOR_FILES = ("format", "cursor", "count", "facets")
ONE_AT_A_TIME = "exports"  # two requests for the same must not make two
log = logging.getLogger(__name__)


class TooMany(Unavailable):
    status_code = 429


def ask(model: type[MirroredTable], asked: str, format_: str, by: Asker) -> Export:
    """The export of a query of the current version: one that is there already, or a new one."""
    version = versions.current(model)
    text = canonical(asked)
    file(model, text, format_, version)  # refused here as the query API would
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
        Asker.objects.get_or_create(export=export, user=by.user, key_id=by.key_id)
    return export


def file(model: type[MirroredTable], asked: str, format_: str, version: TableVersion) -> File:
    """What the query API would answer; BadQuery where it would refuse."""
    request = HttpRequest()
    request.GET = QueryDict(asked)
    view = TableView(model=model)
    view.request = Request(request)
    if format_ not in FORMATS:
        raise BadQuery(f"There is no format {format_[:40]!r}.", list(FORMATS))
    if meant := [name for name in NOT_FOR_FILES if name in view.parameters]:
        raise BadQuery(f"{meant[0]} means nothing in the query of an export. Leave it out.")
    rows = view.rows(version)
    limit = files.limit(view.parameters)
    return File(FORMATS[format_], query.read(model, view.parameters), rows, version, limit)


def canonical(asked: str) -> str:
    """The same parameters in one order and spelling."""
    if len(asked) > LONGEST_QUERY:
        raise BadQuery(f"The query has {len(asked):,} characters, and {LONGEST_QUERY:,} are read.")
    try:
        given = QueryDict(asked.strip().removeprefix("?"))
        return urlencode([(name, v) for name in sorted(given) for v in given.getlist(name)])
    except UnicodeError:
        raise BadQuery("The query is not Unicode text.") from None


def _expire_lost(same: "retention.Exports") -> None:
    """A file that somebody removed from the storage is made again."""
    for done in same.filter(status=Export.Status.DONE):
        try:
            if not STORAGE.exists(done.stored):
                retention.expire(done)
        except OSError as error:
            log.warning("it is not known whether %s is there: %s", done.stored, error)


def _keep_longer(export: Export) -> None:
    if export.status == Export.Status.DONE:
        export.expires_at = timezone.now() + timedelta(hours=settings.EXPORTS_KEPT_HOURS)
        export.save(update_fields=["expires_at"])


def _refuse_too_many(by: Asker) -> None:
    active = by.exports().filter(status__in=Export.ACTIVE).count()
    if active >= settings.EXPORTS_WAITING:
        raise TooMany(f"{active} exports of yours are not done yet. Wait until one is.", 10)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [ONE_AT_A_TIME])
