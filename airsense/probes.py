"""Accept probes of load balancers and containers, whose Host header is an IP address."""

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

PATHS = ("healthz", "readyz", "metrics")


class HostMiddleware(CommonMiddleware):
    """Django's CommonMiddleware, except that probes may use hosts outside ALLOWED_HOSTS.

    Their responses contain no link, so a forged host cannot reach anybody through them.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info.removeprefix("/") in PATHS:
            return None
        return super().process_request(request)
