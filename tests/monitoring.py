"""The rules and queries of deploy/monitoring."""

import json
from typing import Any

import yaml

from airsense.data_folder import PROJECT

MONITORING = PROJECT / "deploy" / "monitoring"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    """The queries of all rules and panels; Grafana's variables have values."""
    dashboard = json.loads((MONITORING / "grafana.json").read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries = [*(rule["expr"] for rule in rules()), *panels]
    return [query.replace("$__rate_interval", "5m") for query in queries]
