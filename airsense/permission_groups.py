"""The three built-in groups and their permissions in the admin and the API."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SCHEDULES = ("periodictask", "crontabschedule", "intervalschedule")
PEOPLE = ("user", "group", "tokenproxy", "token", "apikey", "identity")

VIEW = Q(
    codename__startswith="view_",
    content_type__app_label__in=["flights", "transfers", "django_celery_beat"],
) & ~Q(content_type__model__in=PEOPLE)
OPERATE = Q(
    codename__in=["start_transfer", "roll_back", "run_warehousejob", "add_export", "delete_export"]
) | Q(content_type__app_label="django_celery_beat", content_type__model__in=SCHEDULES)
MANAGE_PEOPLE = Q(
    content_type__model__in=PEOPLE,
    content_type__app_label__in=["auth", "authtoken", "flights", "airsense"],
)

OVERRIDE = Q(codename="override_checks")

GROUPS = {
    "viewer": VIEW,  # view everything except people
    "operator": VIEW | OPERATE,  # also transfers, rollbacks, warehouse jobs, exports, schedules
    # also users, groups, tokens and API keys, and publishing despite failed checks
    "administrator": VIEW | OPERATE | OVERRIDE | MANAGE_PEOPLE,
}


def prepare() -> None:
    """Create the built-in groups and reset their permissions; leave other groups unchanged."""
    for name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(permissions))
