"""A managed Valkey: TLS, a certificate that is checked, and a token (deploy/aws/data.yml)."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import trustme

from tests.platform import Platform, free_port
from tests.platforms import own_valkey

TOKEN = "0123456789abcdef"
SEND = "from airsense.celery import app; app.send_task('transfers.tasks.reap'); print('sent')"


@contextmanager
def tls(port: int, socket: Path, context: ssl.SSLContext) -> Iterator[None]:
    """Terminate TLS in front of a Unix socket, because the tests' Valkey is built without it."""
    loops, ready = list[asyncio.AbstractEventLoop](), threading.Event()
    stop = asyncio.Event()

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        finally:
            target.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, target = await asyncio.open_unix_connection(str(socket))
        await asyncio.gather(copy(reader, target), copy(source, writer))

    async def serve() -> None:
        server = await asyncio.start_server(forward, "127.0.0.1", port, ssl=context)
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


def test_the_queue_and_the_throttles_use_tls_check_the_certificate_and_send_the_token(
    demo: Platform, tmp_path: Path
) -> None:
    authority, port = trustme.CA(), free_port()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    url = f"rediss://:{TOKEN}@localhost:{port}/0?ssl_cert_reqs=required"
    env = {**demo.env, "REDIS_URL": url, "REDIS_PREFIX": "tls:"}
    with own_valkey(tmp_path), tls(port, tmp_path / "valkey.sock", context):
        valkey = redis.Redis(unix_socket_path=str(tmp_path / "valkey.sock"))
        valkey.config_set("requirepass", TOKEN)
        trusted = Platform({**env, "SSL_CERT_FILE": str(tmp_path / "ca.pem")})
        assert "up" in trusted.manage("status", "valkey")
        assert "sent" in trusted.python(SEND)
        assert valkey.auth(TOKEN)
        assert valkey.llen("tls:celery") == 1
        assert Platform(env).attempt("status", "valkey").returncode == 1  # an unknown authority
        valkey.close()
