"""Download a file over HTTP: continue a partial download, retry, and limit the size."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as ReadTimeout

from flights.query.params import is_whole
from transfers import disk_errors
from transfers.exceptions import BadDownload, DiskError, DownloadFailed, NotPublished

from . import part as parts
from .part import Part

type Progress = Callable[[int, int | None], None]  # bytes received, and of the whole file if known

CONNECT_TIMEOUT = 10  # seconds
LONGEST_SIZE = 18  # digits of a size that a server states
CHUNK = 1 << 18  # bytes that are written at a time
ZIP_BEGINS = b"PK"
FAILURES = (requests.RequestException, HTTPError)


class _Interrupted(Exception):
    """An attempt failed, and the next one can succeed. The message says why."""


def fetch(url: str, folder: Path, name: str, stored: str, progress: Progress) -> Part | None:
    """Download a zip file completely, as a part in `folder`; None if it is the `stored` release.

    `stored` is the validator of the release that the caller has, or "". Raises NotPublished if the
    server has no such file, BadDownload for something other than a zip file of an allowed size, and
    DownloadFailed after the last attempt.
    """
    for attempt in range(1, settings.DOWNLOAD_ATTEMPTS + 1):
        try:
            return _attempt(url, folder, name, stored, progress)
        except _Interrupted as error:
            reason = str(error)
        if attempt < settings.DOWNLOAD_ATTEMPTS:
            _pause(attempt)
    raise DownloadFailed(
        f"{url} was not downloaded in {settings.DOWNLOAD_ATTEMPTS} attempts: {reason}",
        advice="Start the download again later; it continues where this one ended.",
    )


def _pause(attempt: int) -> None:
    """Wait before another attempt: 0 seconds before the second one, then 1, 2, 4... seconds."""
    if attempt > 1:
        time.sleep(min(2.0 ** (attempt - 2), 60))


def _attempt(url: str, folder: Path, name: str, stored: str, progress: Progress) -> Part | None:
    part = Part.find(folder, name)
    try:
        with requests.get(
            url,
            headers=_headers(part, stored),
            timeout=(CONNECT_TIMEOUT, settings.DOWNLOAD_TIMEOUT),
            stream=True,
        ) as response:
            if response.status_code == 304:
                return None
            _check_status(response, part)
            if response.status_code == 416:  # the part is complete
                return part
            return _receive(response, folder, name, part, progress)
    except FAILURES as error:
        raise _Interrupted(_reason(error)) from error


def _headers(part: Part | None, stored: str) -> dict[str, str]:
    headers = {"User-Agent": f"AirSense/{settings.VERSION}", "Accept-Encoding": "identity"}
    if part:
        return headers | {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    if stored:
        condition = "If-None-Match" if stored.startswith('"') else "If-Modified-Since"
        return headers | {condition: stored}
    return headers


def _check_status(response: requests.Response, part: Part | None) -> None:
    """Raise an error for a response without a file; _Interrupted if a retry can help."""
    status, reason = response.status_code, f"the server responds {response.status_code}."
    if status in (404, 410):
        raise NotPublished(f"{response.url} does not exist ({status}).")
    if status == 416 and part and not _is_complete(response, part):
        part.path.unlink()
        raise _Interrupted("the file on the server has changed.")
    if status == 429 or status >= 500:
        raise _Interrupted(reason)
    if status not in (200, 206, 416) or (status != 200 and not part):
        raise DownloadFailed(f"{response.url}: {reason}", advice="Check DOWNLOAD_URL.")


def _is_complete(response: requests.Response, part: Part) -> bool:
    return response.headers.get("Content-Range") == f"bytes */{part.size}"


def _receive(
    response: requests.Response, folder: Path, name: str, part: Part | None, progress: Progress
) -> Part:
    """Append the body of a response to the part that it continues, or write it to a new part."""
    validator = parts.validator_of(response.headers)
    continued = part and response.status_code == 206
    if part and continued and not _continues(response, part, validator):
        part.path.unlink()
        raise _Interrupted("the server continued with another part of the file.")
    if not (part and continued):
        part = Part.begin(folder, name, validator)
    total = _total(response, part)
    _check_size(response.url, total or 0)
    _check_disk(folder, (total or 0) - part.size)
    _write(response, part, total, progress)
    return part


def _continues(response: requests.Response, part: Part, validator: str) -> bool:
    begins = response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-")
    return begins and validator in ("", part.validator)


def _total(response: requests.Response, part: Part) -> int | None:
    """The size of the whole file, if the server states it."""
    length = response.headers.get("Content-Length", "")
    is_size = is_whole(length) and len(length) <= LONGEST_SIZE
    return part.size + int(length) if is_size else None


def _write(response: requests.Response, part: Part, total: int | None, progress: Progress) -> None:
    size = part.size
    with part.path.open("ab", buffering=0) as file:  # a killed process loses no bytes
        while chunk := response.raw.read1(CHUNK):  # what arrives before an error is kept
            if not size and not chunk.startswith(ZIP_BEGINS[: len(chunk)]):
                raise BadDownload(_not_a_zip(response, chunk), advice="Try again later.")
            file.write(chunk)
            size += len(chunk)
            _check_size(response.url, size)
            progress(size, total)
    if total is not None and size != total:
        raise _Interrupted(f"the connection ended after {size:,} of {total:,} bytes.")


def _check_size(url: str, size: int) -> None:
    if size > settings.DOWNLOAD_LIMIT:
        limit = f"{settings.DOWNLOAD_LIMIT >> 20:,} MiB"
        raise BadDownload(f"{url} has more than {limit}.", advice="Raise DOWNLOAD_LIMIT_MIB.")


def _check_disk(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        problem = f"The file needs {size:,} bytes, but {folder} has {free:,} bytes free."
        raise DiskError(problem, advice=disk_errors.ADVICE)


def _not_a_zip(response: requests.Response, chunk: bytes) -> str:
    kind = response.headers.get("Content-Type", "no type")
    text = " ".join(chunk[:200].decode(errors="replace").split())
    return f"{response.url} is not a zip file but {kind}: {text}"


def _reason(error: Exception) -> str:
    if isinstance(error, (requests.Timeout, ReadTimeout)):
        return f"the server sent nothing for {settings.DOWNLOAD_TIMEOUT} s."
    return f"{type(error).__name__}: {error}"
