"""Checks of `manage.py check --deploy`, beside Django's own."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def check_proxy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of settings that contradict a proxy which terminates https."""
    if not settings.HTTPS:
        return []
    warnings: list[CheckMessage] = []
    if settings.TRUSTED_PROXIES == 0:
        text = (
            "HTTPS=true needs a proxy, but TRUSTED_PROXIES is 0, so all clients share its address."
        )
        warnings.append(Warning(text, hint="Set it to the number of proxies.", id="airsense.W001"))
    if not settings.PUBLIC_URL.startswith("https://"):
        text = f"HTTPS=true, but PUBLIC_URL={settings.PUBLIC_URL} is not https."
        warnings.append(Warning(text, hint="Citations link to PUBLIC_URL.", id="airsense.W002"))
    return warnings
