"""Admin page for alerts: failures, stale tables and recoveries, and their deliveries."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    AllValuesCheckboxFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
)
from unfold.decorators import display

from flights.admin import formats
from flights.admin.read_only import Live
from transfers.models import Alert


class DeliveredFilter(DropdownFilter):
    """Filter alerts by whether every channel has received them."""

    title = parameter_name = "delivered"

    def lookups(self, request: HttpRequest, page: object) -> list[tuple[str, str]]:
        return [("yes", "to every channel"), ("no", "not to every channel")]

    def queryset(self, request: HttpRequest, alerts: "QuerySet[Alert]") -> "QuerySet[Alert]":
        undelivered = Alert.objects.filter(deliveries__isnull=False, deliveries__delivered_at=None)
        match self.value():
            case "yes":
                return (
                    alerts.filter(deliveries__isnull=False).exclude(pk__in=undelivered).distinct()
                )
            case "no":
                return alerts.filter(pk__in=undelivered)
        return alerts


HAPPENED, ENDED = formats.moments("happened_at", "since"), formats.moments("ended_at", "ended")


@admin.register(Alert)
class AlertAdmin(Live):
    list_display = ["subject", "what", "text", HAPPENED, ENDED, "delivered"]
    list_filter = [
        ("about", ChoicesDropdownFilter),
        ("subject", AllValuesCheckboxFilter),
        ("kind", ChoicesDropdownFilter),
        DeliveredFilter,
    ]
    search_fields = ["text"]
    fields = [
        *("about", "subject", "kind", "text", "advice", HAPPENED, ENDED),
        *("transfer", "key", "delivered"),
    ]
    readonly_fields = ["delivered", HAPPENED, ENDED]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Alert]":
        alerts: QuerySet[Alert] = super().get_queryset(request)
        return alerts.prefetch_related("deliveries")

    @display(
        description="kind",
        label={"failed": "danger", "stale": "warning", "recovered": "success", "fresh": "success"},
    )
    def what(self, alert: Alert) -> str:
        return str(alert.kind)

    @display(description="delivered")
    def delivered(self, alert: Alert) -> str:
        return "; ".join(map(str, alert.deliveries.all())) or "-"
