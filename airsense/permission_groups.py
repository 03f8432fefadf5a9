"""The three ready-made groups: who may do what in the admin and the API."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SCHEDULES = ("periodictask", "crontabschedule", "intervalschedule")
PEOPLE = ("user", "group", "tokenproxy", "token", "apikey")

SEES = Q(
    codename__startswith="view_",
    content_type__app_label__in=["flights", "transfers", "django_celery_beat"],
) & ~Q(content_type__model__in=PEOPLE)
WORKS = Q(
    codename__in=["start_transfer", "roll_back", "run_warehousejob", "add_export", "delete_export"]
) | Q(content_type__app_label="django_celery_beat", content_type__model__in=SCHEDULES)
MANAGES = Q(
    content_type__model__in=PEOPLE, content_type__app_label__in=["auth", "authtoken", "flights"]
)

GROUPS = {
    "viewer": SEES,  # everything but people
    "operator": SEES | WORKS,  # and transfers, versions, the warehouse, exports and schedules
    "administrator": SEES | WORKS | MANAGES,  # and people
}


def prepare() -> None:
    """Give each group what it may do, no more; people's own groups are left alone."""
    for name, allowed in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(allowed))
