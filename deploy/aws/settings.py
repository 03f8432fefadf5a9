"""The settings of all tasks: a file in the bucket, which ECS reads when it starts a task.

Its name contains the hash of its content. So a changed setting changes the definitions of the
tasks, which restarts the services, and a rollback finds the earlier file.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

from airsense.container_secrets import EXTERNAL

from .stacks import DeployError

PROJECT = Path(__file__).resolve().parents[2]
# Set by the templates, from Secrets Manager.
SECRETS = {"DATABASE_PASSWORD", "READER_URL", "REDIS_URL", "SECRET_KEY", "ADMIN_PASSWORD"}
# Secrets that people or other services choose: the command `secret` sets them.
OWN_SECRETS = {*EXTERNAL, "METRICS_TOKEN"} - SECRETS


def computed(outputs: dict[str, str], region: str, host: str) -> dict[str, str]:
    """The settings that follow from the stacks. `host` is the host name, "" for Amazon's."""
    host = host or outputs.get("BalancerHost", f"{region}.awsapprunner.com")
    secure = outputs.get("Secure", "true")  # App Runner always is
    address = f"{'https' if secure == 'true' else 'http'}://{host}"
    return {
        "DATABASE_URL": f"postgresql://airsense@{outputs['WriterHost']}:5432/airsense?sslmode=require",
        "EXPORTS_S3_BUCKET": outputs["Bucket"],
        "EXPORTS_S3_PREFIX": "exports",
        "AWS_DEFAULT_REGION": region,
        # App Runner invents a host name below its own.
        "ALLOWED_HOSTS": f".{host}" if host.endswith(".awsapprunner.com") else host,
        "PUBLIC_URL": address,
        "CSRF_TRUSTED_ORIGINS": address,
        "HTTPS": secure,
        "TRUSTED_PROXIES": "1",
        "HEADERS_TIMEOUT": "90",  # longer than the load balancer's idle timeout, see balancer.yml
    }


def read(text: str) -> dict[str, str]:
    """Read lines NAME=VALUE. Raises DeployError for an unknown setting, or a secret."""
    lines = [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]
    if wrong := [line.partition("=")[0] for line in lines if "=" not in line]:
        raise DeployError(f"Settings are lines of the form NAME=VALUE, not: {wrong[0]}")
    values = dict(line.split("=", 1) for line in lines)
    if secrets := sorted(values.keys() & (SECRETS | OWN_SECRETS)):
        raise DeployError(f"Secrets do not belong in the settings. Run: secret {secrets[0]}")
    if unknown := sorted(values.keys() - names()):
        raise DeployError(f".env.example has no setting of this name: {', '.join(unknown)}")
    return values


def names() -> set[str]:
    """The names that .env.example lists."""
    return set(re.findall(r"^#([A-Z][A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(), re.M))


def upload(s3: Any, bucket: str, values: dict[str, str]) -> str:
    """Store the file and return its ARN."""
    text = "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    key = f"settings/{hashlib.sha256(text.encode()).hexdigest()[:16]}.env"
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    return f"arn:{s3.meta.partition}:s3:::{bucket}/{key}"


def download(s3: Any, arn: str) -> dict[str, str]:
    """The settings of a file that `upload` stored."""
    bucket, _, key = arn.partition(":::")[2].partition("/")
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return dict(line.split("=", 1) for line in text.splitlines())
