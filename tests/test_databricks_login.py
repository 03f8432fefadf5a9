"""Logging in to Databricks as a service principal of each cloud, also through a proxy."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_django import Settings

from tests.connect_proxy import connect_proxy
from tests.warehouse.running import CLIENT, GOOGLE, SECRET, WarehouseServer, running
from transfers.exceptions import WarehouseError, WarehouseUnavailable
from transfers.warehouses import connect


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseServer]:
    with running(tmp_path_factory.mktemp("secure"), "--tls") as started:
        yield started


@pytest.fixture
def secure(server: WarehouseServer, settings: Settings) -> Iterator[WarehouseServer]:
    """A server whose certificate is trusted, without credentials."""
    settings.DATABRICKS_CA_FILE = server.env["DATABRICKS_CA_FILE"]
    settings.DATABRICKS_TOKEN = ""
    yield server
    server.clear_faults()


def _azure(settings: Settings, server: WarehouseServer, folder: Path) -> None:
    settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET = CLIENT, SECRET
    settings.DATABRICKS_AZURE_TENANT_ID = "tenant-of-the-tests"
    settings.DATABRICKS_AZURE_AUTHORITY = _base(server)


def _google(settings: Settings, server: WarehouseServer, folder: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    text = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode()
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    server.set(google_key=public.decode())
    file = folder / "google.json"
    token_uri = f"{_base(server)}/google"
    key = {"client_email": GOOGLE, "token_uri": token_uri, "private_key": text}
    file.write_text(json.dumps(key))
    settings.DATABRICKS_GOOGLE_CREDENTIALS = str(file)


def _base(server: WarehouseServer) -> str:
    return server.url.replace("databricks:", "https:").split("/main/")[0]


@pytest.mark.parametrize("cloud", [_azure, _google])
def test_service_principals_of_azure_and_google_log_in(
    secure: WarehouseServer,
    settings: Settings,
    tmp_path: Path,
    cloud: Callable[[Settings, WarehouseServer, Path], None],
) -> None:
    cloud(settings, secure, tmp_path)
    assert connect(secure.url).tables() == []
    if cloud is _azure:
        settings.DATABRICKS_CLIENT_SECRET = "wrong-secret"
        with pytest.raises(WarehouseError, match=f"principal {CLIENT}: HTTP 401") as refused:
            connect(secure.url).tables()
        assert "DATABRICKS_AZURE_TENANT_ID" in refused.value.advice
    else:
        settings.DATABRICKS_GOOGLE_CREDENTIALS = str(tmp_path / "none.json")
        with pytest.raises(WarehouseError, match="not the key of a Google service account"):
            connect(secure.url)


def test_the_login_uses_the_proxy_that_the_connector_uses(
    secure: WarehouseServer, settings: Settings
) -> None:
    settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET = CLIENT, SECRET
    with connect_proxy() as (url, targets):
        os.environ["HTTPS_PROXY"] = url
        try:
            connect(secure.url).tables()
        finally:
            del os.environ["HTTPS_PROXY"]
    # The login is the first connection; all go through the proxy.
    assert len(targets) >= 2
    assert {target.partition(":")[0] for target in targets} == {"localhost"}


def test_a_login_without_a_token_is_refused_with_the_reason(
    secure: WarehouseServer, settings: Settings
) -> None:
    settings.DATABRICKS_CLIENT_ID, settings.DATABRICKS_CLIENT_SECRET = CLIENT, SECRET
    secure.fault("token", "page")
    with pytest.raises(WarehouseUnavailable, match="a page instead of a token"):
        connect(secure.url).tables()
    secure.fault("token", "403", body="Source IP address 10.0.0.7 is blocked by IP ACL.")
    with pytest.raises(WarehouseError, match="does not accept connections from this machine"):
        connect(secure.url).tables()
    secure.fault("token", "403")
    with pytest.raises(WarehouseError, match=f"refused the service principal {CLIENT}: HTTP 403"):
        connect(secure.url).tables()
