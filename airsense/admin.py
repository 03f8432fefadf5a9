"""People, tokens and schedules in the look of the rest of the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat import models as schedules
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

admin.site.index_title = "Dashboard"
for model in (
    *(User, Group, TokenProxy),
    *(schedules.PeriodicTask, schedules.CrontabSchedule, schedules.IntervalSchedule),
    *(schedules.ClockedSchedule, schedules.SolarSchedule),
):
    admin.site.unregister(model)


@admin.register(User)
class People(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    filter_horizontal = ()  # Django's widget for it is too wide and stumbles screen readers
    list_display = ["username", "email", "in_groups", "is_active", "last_login"]

    @display(description="groups")
    def in_groups(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "-"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only a superuser makes superusers, or hands out what is in no group."""
        own = list(super().get_readonly_fields(request, obj))
        return own if request.user.is_superuser else [*own, "is_superuser", "user_permissions"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj) and super().has_delete_permission(request, obj)

    def _may(self, request: HttpRequest, user: User | None) -> bool:
        """A superuser's password is nobody else's to set."""
        return request.user.is_superuser or not (user and user.is_superuser)


@admin.register(Group)
class Groups(GroupAdmin, ModelAdmin):
    filter_horizontal = ()


@admin.register(TokenProxy)
class Tokens(TokenAdmin, ModelAdmin):
    list_display = ["user", "created"]  # a key is shown once, on its own page


class TaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = UnfoldAdminSelectWidget(
            choices=self.fields["regtask"].widget.choices
        )


@admin.register(schedules.PeriodicTask)
class Schedules(beat.PeriodicTaskAdmin, ModelAdmin):
    form = TaskForm
    change_form_template = "admin/change_form.html"  # theirs has a script inside the page
    list_display = ["name", "when", "enabled", "last_run_at", "total_run_count"]

    @display(description="when")
    def when(self, task: schedules.PeriodicTask) -> str:
        """Such as "every 2 hours", or "At 05:30 AM, only on Monday UTC"."""
        if task.crontab:
            return str(task.crontab.human_readable)
        return _every(task.interval) if task.interval else str(task.clocked or task.solar)


@admin.register(schedules.CrontabSchedule)
class Crontabs(beat.CrontabScheduleAdmin, ModelAdmin):
    pass


@admin.register(schedules.IntervalSchedule, schedules.ClockedSchedule, schedules.SolarSchedule)
class Intervals(ModelAdmin):
    pass


def _every(interval: schedules.IntervalSchedule) -> str:
    """Seconds in the largest unit that they fill: "every hour" for 3,600 of them."""
    for unit, seconds in {"day": 86_400, "hour": 3_600, "minute": 60}.items():
        count, rest = divmod(interval.every, seconds)
        if interval.period == interval.SECONDS and count and not rest:
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return str(interval)
