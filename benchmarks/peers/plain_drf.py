"""Django REST framework as in its tutorial: model, serializer, filters and viewset in one file.

The serializer selects fields as the framework's documentation recommends.
"""

import os
from typing import Any

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

DATABASE: dict[str, Any] = conninfo_to_dict(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["rest_framework", "django_filters"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a benchmark",  # noqa: S106
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": DATABASE.pop("dbname"),
            "OPTIONS": DATABASE,
            "CONN_MAX_AGE": 60,
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
        "DEFAULT_FILTER_BACKENDS": [
            "django_filters.rest_framework.DjangoFilterBackend",
            "rest_framework.filters.OrderingFilter",
        ],
        "PAGE_SIZE": 10,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django_filters.rest_framework import FilterSet  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402


class Airport(models.Model):
    City = models.TextField(primary_key=True)
    Total_Departure_Delay = models.BigIntegerField()
    Total_Departures = models.BigIntegerField()
    Avg_Departure_Delay = models.FloatField()
    Total_Arrival_Delay = models.BigIntegerField()
    Total_Arrivals = models.BigIntegerField()
    Avg_Arrival_Delay = models.FloatField()
    Total_Avg_Delay = models.FloatField()

    class Meta:
        app_label = "peers"
        managed = False
        db_table = "busiest_airports_by_delays"

    def __str__(self) -> str:
        return self.City


NAMES = [field.name for field in Airport._meta.fields]


class AirportFilter(FilterSet):
    class Meta:
        model = Airport
        fields = {name: ["exact", "gt", "gte", "lt", "lte", "in"] for name in NAMES}


class AirportSerializer(serializers.ModelSerializer[Airport]):
    class Meta:
        model = Airport
        fields = NAMES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = self.context["request"].query_params.get("columns", ",".join(NAMES)).split(",")
        for name in set(self.fields) - set(columns):
            self.fields.pop(name)


class AirportViewSet(viewsets.ModelViewSet[Airport]):
    queryset = Airport._default_manager.all()
    serializer_class = AirportSerializer
    filterset_class = AirportFilter
    ordering_fields = NAMES


router = routers.DefaultRouter()
router.register("airports", AirportViewSet)
urlpatterns = router.urls
app = get_wsgi_application()
